"""The fields of a cell: a recipe with its data and its budget, whose defaults are the reference of every sweep."""

import math
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationInfo, field_validator, model_validator

from jepa.core.config import parse_options
from jepa.core.errors import InputError
from jepa.studies.in_memory.episodes import Collection
from jepa.studies.recipes.of_worlds import USUAL, mixture_text, options, options_text, quantity_name, shares
from jepa.studies.recipes.sizes import AHEAD, SIZES, Size
from jepa.studies.study import Cell
from jepa.training.recipes import Recipe
from jepa.worlds.registry import WORLDS

REFERENCE = "reference"
"""The experiment that all others are compared with."""
REFERENCE_BATCH = 128
"""Clips that λ is stated for, so that a smaller batch is no weaker SIGReg."""


class RecipesCell(Cell):
    """One recipe for one world with one seed."""

    world: str = "pusht"
    """Registered name of the world."""
    world_options: str = Field(USUAL, validate_default=True)
    """Its options, `name=value,…`, for all episodes and problems; `usual` for what the study takes of the world: for
    Cube, smaller shadows and coarser meshes, for others nothing."""
    size: Size = "small"
    """Frames, predictor, fitted head and protocol: `small` for minutes of one core, `tiny` to see that all runs."""
    channels: str = Field("32-64-128", pattern=r"^[1-9]\d{0,4}(-[1-9]\d{0,4})*$")
    """Widths of the convolutional encoder's stages, joined by hyphens."""
    latent_size: int = Field(64, gt=1, le=4096)
    """Dimensions of a latent."""
    history: int = Field(1, gt=0, le=16)
    """Frames that the predictor looks back on."""
    frameskip: int = Field(5, gt=0, le=AHEAD)
    """Environment steps from frame to frame; only drawn steps that it needs are rendered."""
    horizon: int = Field(3, gt=0, le=32)
    """Frames of a clip beyond the history."""
    sigreg_weight: PositiveFloat = 0.1
    """λ at the start, stated for 128 clips."""
    sigreg_weight_end: PositiveFloat = 0.01
    """λ at the end; equal to the start for a constant one."""
    hold: float = Field(0.4, ge=0.0, le=1.0)
    """Share of the steps after which λ begins to fall."""
    settle: float = Field(0.8, ge=0.0, le=1.0)
    """Share of the steps at which it has reached its end."""
    open_loop_horizons: NonNegativeInt = 0
    """Action blocks that the model is rolled out over in training, at most `horizon`; 0 for one step alone."""
    joint_head: str | None = None
    """Head for planners that is trained with the model, such as `inverse`."""
    joint_head_weight: PositiveFloat = 1.0
    """Of its loss."""
    regressed: str | None = None
    """Recorded quantity that a head regresses beside, or `usual` for the one that the study names of the world. No
    camera shows it: such a recipe is privileged, shown and never chosen."""
    regressed_weight: PositiveFloat = 20.0
    """Of that regression."""
    policies: str = Field("own", validate_default=True)
    """Policies of the training episodes, `name=share,…`; `own` for the world's, which all held-out episodes are of,
    `main` for that with the largest share, `mixed` for half of its own and half random."""
    episodes: PositiveInt | None = Field(None, validate_default=True)
    """Episodes to train on; by default what the size says of the world."""
    learning_rate: PositiveFloat = 1e-3
    """Peak rate of AdamW."""
    batch_size: int = Field(128, gt=1, le=65_536)
    """Clips of a step."""
    budget: Literal["seconds", "steps"] = "seconds"
    """What all recipes get alike: seconds of processor time, from which the steps follow, or optimiser steps."""
    amount: PositiveFloat = 180.0
    """Seconds of one core, or steps."""
    data_seed: NonNegativeInt = 0
    """Seed of all episodes, the same for all seeds of the training."""

    @field_validator("world")
    @classmethod
    def _known_world(cls, world: str) -> str:
        WORLDS.get(world)
        return world

    @field_validator("world_options")
    @classmethod
    def _known_options(cls, text: str, info: ValidationInfo) -> str:
        return options_text(text, info.data["world"]) if "world" in info.data else text

    # What follows from the world is written out, so that a cell keeps its meaning when the world's defaults change.
    @field_validator("policies")
    @classmethod
    def _spelled_out(cls, text: str, info: ValidationInfo) -> str:
        return mixture_text(text, info.data["world"]) if "world" in info.data else text

    @field_validator("regressed")
    @classmethod
    def _recorded(cls, name: str | None, info: ValidationInfo) -> str | None:
        return quantity_name(name, info.data["world"]) if name and "world" in info.data else None

    @field_validator("episodes")
    @classmethod
    def _counted(cls, count: int | None, info: ValidationInfo) -> int | None:
        if count is not None or not {"size", "world"} <= info.data.keys():
            return count
        return SIZES[info.data["size"]].data_of(info.data["world"]).episodes

    @model_validator(mode="after")
    def _makes_a_recipe(self) -> "RecipesCell":
        self.recipe(steps=1)
        if self.open_loop_horizons > self.horizon:
            raise InputError(
                f"open_loop_horizons is {self.open_loop_horizons} and clips have {self.horizon} frames beyond the "
                f"history; raise horizon to {self.open_loop_horizons}, or ask for fewer horizons"
            )
        return self

    @property
    def privileged(self) -> bool:
        """Returns whether the model learns from states that no camera shows."""
        return self.regressed is not None

    def recipe(self, steps: int, scale: float = 1.0) -> Recipe:
        """Returns model, objective and training.

        Args:
            steps: optimiser steps.
            scale: what the regressed quantity is divided by.

        Raises:
            InputError: the fields do not go together.
        """
        size = SIZES[self.size]
        model = {
            **{"image_size": size.image_size, "frameskip": self.frameskip, "history": self.history},
            **{"latent_size": self.latent_size, "projector_size": size.projector_size},
            "encoder_options": {"channels": [int(width) for width in self.channels.split("-")]},
            "predictor_options": dict(size.predictor),
        }
        train = {
            **{"steps": steps, "batch_size": self.batch_size, "horizon": self.horizon, "seed": self.seed},
            # A recipe may collapse: that is a finding here, and no reason to stop.
            **{"learning_rate": self.learning_rate, "precision": "fp32", "log_every": 50, "collapse_std": 0.0},
        }
        options = self._objective_options(size.directions, scale)
        return parse_options(Recipe, {"model": model, "objective_options": options, "train": train}, "recipe")

    def _objective_options(self, directions: int, scale: float) -> dict[str, Any]:
        options: dict[str, Any] = {
            **{"sigreg_weight": self.sigreg_weight, "sigreg_weight_end": self.sigreg_weight_end},
            **{"hold": self.hold, "settle": self.settle, "reference_batch": REFERENCE_BATCH},
            **{"sigreg": {"directions": directions}, "open_loop_horizons": self.open_loop_horizons},
        }
        if self.joint_head:
            options |= {"joint_head": self.joint_head, "joint_head_weight": self.joint_head_weight}
        if self.regressed:
            size = WORLDS.get(self.world).world_spec.recorded[self.regressed]
            quantity = {"quantity": self.regressed, "quantity_size": size, "quantity_scale": scale}
            options["head"] = {**quantity, "weight": self.regressed_weight}
        return options

    def collection(self) -> Collection:
        """Returns the episodes."""
        size, data = SIZES[self.size], SIZES[self.size].data_of(self.world)
        return Collection(
            world=self.world,
            train=self.episodes or data.episodes,
            validation=data.held_out,
            test=data.held_out,
            steps=data.steps,
            image_size=size.image_size,
            options=options(self.world_options, self.world),
            policies=shares(self.policies),
            # Planning problems begin and end at frames, too.
            frame_every=math.gcd(self.frameskip, AHEAD),
            seed=self.data_seed,
        )
