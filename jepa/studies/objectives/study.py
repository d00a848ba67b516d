"""All objectives side by side: same data, same steps or seconds, and the same judgement, over several seeds."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from jepa.evaluation.declarations import Section
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import Objective
from jepa.studies.bars import seed_bars
from jepa.studies.grid import Block
from jepa.studies.in_memory.clips import ClipSampler
from jepa.studies.in_memory.episodes import MemoryEpisodes, collected
from jepa.studies.in_memory.training import new_model, steps_within, train
from jepa.studies.objectives.arms import ARMS, check_arm, make_arm, settle
from jepa.studies.objectives.claims import CLAIMS
from jepa.studies.objectives.judging import latent_measures, measures, spread_left
from jepa.studies.objectives.sizes import OPTIONS, Setting, Size, setting
from jepa.studies.study import STUDIES, Cell, CellResult, Measure, Study
from jepa.training.recipes import Recipe


class ObjectivesCell(Cell):
    """One objective on one world with one seed; all but the objective is what the arms have in common."""

    objective: str = "lewm"
    """A registered objective, `prediction_only` or `frozen_random`."""
    world: str = "two_room"
    """Registered name of the world."""
    budget: Literal["steps", "seconds"] = "steps"
    """What all arms get alike: optimiser steps, or seconds of CPU time, for which a cell is no longer the same on
    every machine."""
    amount: PositiveFloat = 500.0
    """Steps, or seconds."""
    size: Size = "small"
    """Model, training and protocol: `small` for minutes on two cores, `full` is `lewm-tiny` under the world's own
    protocol."""
    episodes: PositiveInt = 200
    """Episodes to train on."""
    data_seed: NonNegativeInt = 0
    """Seed of all episodes, the same for all seeds of the training."""

    @field_validator("objective")
    @classmethod
    def _known(cls, name: str) -> str:
        check_arm(name)
        return name


PRESETS: dict[str, list[Block]] = {
    "tiny": [{"experiment": "side_by_side", "objective": list(ARMS), "seed": range(3)}],
    "paper": [
        {
            **{"experiment": "side_by_side", "objective": list(ARMS), "budget": budget, "amount": amount},
            **{"size": "full", "episodes": 1000, "seed": range(5)},
        }
        for budget, amount in (("steps", 3000), ("seconds", 240))
    ],
}
SHOWN = {
    "goals_reached": ("Goals reached", "goals reached", "quantity"),
    "linear_r2": ("Read by a linear probe", "R²", "quantity"),
    "mlp_r2": ("Read by an MLP", "R²", "quantity"),
    "auroc": ("Surprise", "AUROC", "quantity"),
    "effective_rank": ("Effective rank of latents", "effective rank", ""),
    "spread_left": ("Spread left of the untrained latents'", "share", ""),
    "training_seconds": ("What a training costs", "seconds on one core", ""),
}
READINGS = {"goals_reached": "Mean over seeds, with Student's 95 % interval."}


@STUDIES.register("objectives")
class ObjectivesStudy(Study):
    """A cell trains one objective and judges its model."""

    name = "objectives"
    summary = "all objectives side by side: same data, same steps or seconds, and the same judgement"
    paper = "LeWorldModel (arXiv:2603.19312), and the objectives that it is compared with"
    Cell = ObjectivesCell
    presets = PRESETS
    claims = CLAIMS
    section = Section("Objectives side by side", seed_bars("study_objectives", "objective", SHOWN, READINGS))

    def run(self, cell: ObjectivesCell) -> CellResult:
        """Returns probes, plans by kind of goal, surprise, collapse, and what the training took."""
        chosen = setting(cell.size, cell.world, cell.episodes, cell.data_seed, cell.seed)
        source = collected(chosen.collection)
        steps = round(cell.amount) if cell.budget == "steps" else self._steps(cell, chosen, source)
        recipe = _with_steps(chosen.recipe, max(1, steps))
        trained = train(recipe, source, _objective(cell, recipe, source))
        found = measures(trained.model, source, chosen.protocol, cell.seed)
        left = spread_left(found, latent_measures(_untrained(cell, recipe, source), source))
        cost = [Measure("steps", trained.steps), Measure("training_seconds", trained.seconds, unit="s")]
        return CellResult([*found, left, *cost])

    def cost(self, cell: ObjectivesCell) -> float:
        """Returns the amount, of which pixels take more."""
        return cell.amount * (2.0 if cell.objective == "reconstruction" else 1.0)

    def _steps(self, cell: ObjectivesCell, chosen: Setting, source: MemoryEpisodes) -> int:
        return steps_within(cell.amount, chosen.recipe, source, _objective(cell, chosen.recipe, source))


def _objective(cell: ObjectivesCell, recipe: Recipe, source: MemoryEpisodes) -> Objective:
    model, options = new_model(recipe.model, source, cell.seed), OPTIONS[cell.size].get(cell.objective, {})
    return make_arm(cell.objective, model, source, _sampler(cell, recipe, source), options, cell.seed)


def _untrained(cell: ObjectivesCell, recipe: Recipe, source: MemoryEpisodes) -> WorldModel:
    """Returns the model before its first step, with the statistics that its BatchNorm would have measured."""
    model = new_model(recipe.model, source, cell.seed)
    settle(model, _sampler(cell, recipe, source))
    return model


def _sampler(cell: ObjectivesCell, recipe: Recipe, source: MemoryEpisodes) -> ClipSampler:
    frames = recipe.model.history + recipe.train.horizon
    return ClipSampler(source, frames, recipe.model.frameskip, recipe.train.batch_size, cell.seed)


def _with_steps(recipe: Recipe, steps: int) -> Recipe:
    return Recipe.model_validate(recipe.model_dump() | {"train": recipe.train.model_dump() | {"steps": steps}})
