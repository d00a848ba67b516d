"""A training from data to a model in memory, with the same trainer as everywhere."""

import time
from dataclasses import dataclass
from typing import Any

from jepa.models.world_model import ModelConfig, WorldModel
from jepa.objectives.objective import Objective, make_objective
from jepa.studies.in_memory.clips import ClipSampler
from jepa.studies.in_memory.episodes import MemoryEpisodes
from jepa.training.recipes import Recipe
from jepa.training.trainer import TrainConfig, Trainer

TIMED_STEPS = 12
"""Steps by which the time of one is measured, after as many that warm up."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind."""

    model: WorldModel
    """in evaluation mode"""
    figures: dict[str, float]
    """of the last step"""
    steps: int
    seconds: float
    """CPU time of this process while it trained, sampling of clips included"""


def new_model(config: ModelConfig, source: MemoryEpisodes, seed: int) -> WorldModel:
    """Returns a freshly initialised model of the source's sizes that knows the statistics of its actions."""
    sizes = {"image_size": source.image_size, "action_size": source.action_size}
    model = WorldModel.from_config(ModelConfig.model_validate(config.model_dump() | sizes), seed)
    model.set_action_statistics(*source.action_statistics)
    return model


def train(recipe: Recipe, source: MemoryEpisodes, objective: Objective | None = None) -> Trained:
    """Trains on the source's training split for as many steps as the recipe says; the recipe's seed decides all draws.

    Args:
        recipe: model, objective and training.
        source: the episodes.
        objective: one that was made already, with its model, in the place of the recipe's.

    Raises:
        TrainingFailure: the training went wrong numerically.
        InputError: the source has too few clips for a batch.
    """
    config = recipe.train
    sampler = _sampler(recipe, source)
    trainer = Trainer(objective or _objective(recipe, source), config)
    figures: dict[str, float] = {}
    began = time.process_time()
    for step in range(config.steps):
        figures = trainer.step(sampler.batch(step)) or figures
    seconds = time.process_time() - began
    model = trainer.objective.model
    model.eval()
    return Trained(model, figures, config.steps, seconds)


def steps_within(seconds: float, recipe: Recipe, source: MemoryEpisodes, objective: Objective | None = None) -> int:
    """Returns how many steps of a recipe take about so many seconds of CPU time on this machine, at least 1.

    The objective takes a few steps for it: what is trained afterwards has to be a new one.
    """
    sampler = _sampler(recipe, source)
    config = _with(recipe.train, steps=2 * TIMED_STEPS)
    trainer = Trainer(objective or _objective(recipe, source), config)
    began = 0.0
    for step in range(2 * TIMED_STEPS):
        if step == TIMED_STEPS:
            began = time.process_time()
        trainer.step(sampler.batch(step))
    return max(1, round(seconds * TIMED_STEPS / (time.process_time() - began)))


def _sampler(recipe: Recipe, source: MemoryEpisodes) -> ClipSampler:
    frames = recipe.model.history + recipe.train.horizon
    return ClipSampler(source, frames, recipe.model.frameskip, recipe.train.batch_size, recipe.train.seed)


def _objective(recipe: Recipe, source: MemoryEpisodes) -> Objective:
    model = new_model(recipe.model, source, recipe.train.seed)
    return make_objective(recipe.objective, model, recipe.objective_options, recipe.train.seed)


def _with(config: TrainConfig, **fields: Any) -> TrainConfig:
    return TrainConfig.model_validate(config.model_dump() | fields)
