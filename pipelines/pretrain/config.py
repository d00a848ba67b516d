"""What a pretraining is asked to do: a dataset, a name, a recipe, and what to change in it."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.registries.choices import Choices
from jepa.objectives import OBJECTIVES
from jepa.training.config import ComputeConfig, Precision
from jepa.training.registry import RECIPES
from pipelines.executor.defaults import one_local_worker
from pipelines.loader import LoaderConfig
from pipelines.pretrain.overrides import merged, overriding
from pipelines.pretrain.records.trackers import TRACKERS
from pipelines.store.references import DatasetText, ModelName, ModelText

if TYPE_CHECKING:
    from jepa.training.recipes import Recipe

MACHINERY = (
    "workers",
    "min_workers",
    "executor",
    "device",
    "cpus",
    "max_failures",
    "max_preemption_failures",
    "preemption_every",
    "preemption_file",
    "stop_seconds",
    "keep_checkpoints",
    "keep_every",
    "trackers",
    "compute",
)
"""Fields that change nothing in what is learned: a run may be continued with others."""


class PretrainConfig(Config):
    """A pretraining; the fields that are left out come from the recipe."""

    dataset: DatasetText = Field(min_length=1)
    """Dataset in the store: `d0`, its newest version when the training begins, or `d0@2`."""
    name: ModelName = Field(min_length=1)
    """Name of the model that is made."""
    recipe: Annotated[str, Choices(RECIPES.names)] = "tiny"
    """Registered model, objective and hyper-parameters that are known to learn together."""
    objective: Annotated[str | None, Choices(OBJECTIVES.names, others="one of yours")] = None
    """What is minimised; the recipe's by default."""
    objective_options: dict[str, Any] | None = None
    """Options of the objective, over the recipe's where the objective is the recipe's."""
    model_options: dict[str, Any] | None = None
    """Sizes of the model, over the recipe's: encoder, encoder_options, latent_size, history, frameskip, predictor …"""
    train_options: dict[str, Any] | None = None
    """Other fields of the training, over the recipe's: horizon, warmup, weight_decay, clip, log_every …"""
    steps: PositiveInt | None = None
    """Optimiser steps; the recipe's by default. More than a model of this name has: it is trained on from there."""
    batch_size: int | None = Field(None, gt=0, le=1_000_000)
    """Clips in a global batch, over all workers; the recipe's by default."""
    learning_rate: PositiveFloat | None = None
    """Peak learning rate; the recipe's by default."""
    precision: Precision | None = None
    """Numbers to compute in; the recipe's by default."""
    init_from: ModelText | None = None
    """Model whose weights the training starts from: `m0`, or `m0@1a2b3c4d` for certain ones; drawn by default."""
    seed: NonNegativeInt = 0
    """Seed of the weights, of the order of clips and of every draw."""
    workers: int = Field(2, gt=0, le=4096)
    """Training processes, one device each; 1 where executor is `local` and none is given."""
    min_workers: PositiveInt | None = None
    """Go on with as few as these when workers are lost, and with more again when there is room; always `workers` where
    it is left out."""
    executor: Literal["ray", "local"] = "ray"
    """`ray` trains with Ray Train on the cluster, `local` in this process alone."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a worker computes; `auto` takes a GPU where there is one, `cuda` waits for one on a cluster."""
    cpus: PositiveFloat = 1.0
    """Cores that Ray reserves for each worker."""
    max_failures: NonNegativeInt = 2
    """How many times a run may lose a worker and go on from its last checkpoint."""
    max_preemption_failures: int = Field(-1, ge=-1)
    """The same for workers whose machine is taken away; -1 sets no limit."""
    preemption_every: NonNegativeInt = 5
    """Steps between two times that the workers ask one another for a preemption signal; 0 ignores all of them."""
    preemption_file: str | None = None
    """A file on a worker's machine; making or writing it is a signal to checkpoint at once and end."""
    stop_seconds: PositiveFloat = 25.0
    """Seconds that workers have to keep their state after such a signal before they are left behind; less than the time
    from SIGTERM to SIGKILL."""
    keep_checkpoints: PositiveInt = 2
    """Newest checkpoints that stay; older ones are removed."""
    keep_every: PositiveInt | None = None
    """Steps from one checkpoint that stays for good to the next: `jepa evaluate --checkpoints all` judges each. A
    checkpoint takes about three times the model's size."""
    trackers: Annotated[tuple[str, ...], Choices(TRACKERS.names)] = ("tensorboard",)
    """Where figures are shown besides metrics.parquet: `tensorboard` in the model's folder, `mlflow`, `wandb`."""
    loader: LoaderConfig = LoaderConfig()
    """How clips are read."""
    compute: ComputeConfig = ComputeConfig()
    """How a step is computed."""

    @model_validator(mode="before")
    @classmethod
    def _one_local_worker(cls, value: Any) -> Any:
        return one_local_worker(value)

    @field_validator("recipe")
    @classmethod
    def _recipe_is_known(cls, recipe: str) -> str:
        RECIPES.check(recipe)
        return recipe

    @field_validator("objective")
    @classmethod
    def _objective_is_known(cls, objective: str | None) -> str | None:
        if objective is not None:
            OBJECTIVES.check(objective)
        return objective

    @field_validator("objective_options")
    @classmethod
    def _objective_takes_its_options(
        cls, options: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        if options is None or not {"recipe", "objective"} <= info.data.keys():
            return options
        name, base = _objective(info.data["recipe"], info.data["objective"])
        return overriding(OBJECTIVES.get(name).Config, base, options, "objective_options")

    @field_validator("model_options", "train_options")
    @classmethod
    def _recipe_takes_its_options(cls, options: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        if options is None or "recipe" not in info.data:
            return options
        recipe, field = RECIPES.get(info.data["recipe"]), str(info.field_name)
        base = recipe.model if field == "model_options" else recipe.train
        return overriding(type(base), base, options, field)

    @field_validator("trackers")
    @classmethod
    def _trackers_are_known(cls, trackers: tuple[str, ...]) -> tuple[str, ...]:
        for name in trackers:
            TRACKERS.check(name)
        return trackers

    @model_validator(mode="after")
    def _workers_are_a_range(self) -> "PretrainConfig":
        if self.min_workers is not None and self.min_workers > self.workers:
            raise InputError(f"min_workers {self.min_workers} is more than workers {self.workers}; take fewer")
        if self.min_workers is not None and self.loader.kind != "native":
            raise InputError(
                f"min_workers {self.min_workers} with loader.kind {self.loader.kind!r} cannot be: its batches depend "
                "on the number of workers; take loader.kind 'native', or leave min_workers out"
            )
        return self

    @property
    def total_steps(self) -> int:
        """Returns the optimiser steps of the whole training."""
        return self.steps or RECIPES.get(self.recipe).train.steps

    def resolve(self, image_size: int, action_size: int) -> "Recipe":
        """Returns the recipe for a world's sizes, with this configuration's changes made."""
        recipe = RECIPES.get(self.recipe).for_world(image_size, action_size)
        asked = {
            "steps": self.steps,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "precision": self.precision,
            "seed": self.seed,
        }
        given = {field: value for field, value in asked.items() if value is not None}
        objective, base = _objective(self.recipe, self.objective)
        changed = recipe.model_dump() | {
            "model": merged(recipe.model.model_dump(), self.model_options or {}),
            "train": recipe.train.model_dump() | (self.train_options or {}) | given,
            "objective": objective,
            "objective_options": merged(base, self.objective_options or {}),
        }
        return type(recipe).model_validate(changed)

    def same_training(self) -> dict[str, Any]:
        """Returns the fields that decide what is learned; how many processes do the work is not one of them."""
        machinery: dict[str, Any] = dict.fromkeys(MACHINERY, True)
        machinery["loader"] = set(LoaderConfig.MACHINERY)
        return self.model_dump(mode="json", exclude=machinery)


def _objective(recipe_name: str, objective: str | None) -> tuple[str, dict[str, Any]]:
    """Returns the objective that is minimised, and the options that it starts from: the recipe's, if it is its own."""
    recipe = RECIPES.get(recipe_name)
    if objective in (None, recipe.objective):
        return recipe.objective, recipe.objective_options
    return str(objective), {}
