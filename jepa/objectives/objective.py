"""What an objective is: a loss on clips, with its configuration, under a name.

Shapes: B clips, T frames, K actions in a block, A action dimensions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.config import Config, parse_options
from jepa.core.registry import Registry
from jepa.models.world_model import WorldModel


class Objective(nn.Module, ABC):
    """A loss that trains a world model; it holds the model, and whatever else it needs to train is part of it too."""

    Config: ClassVar[type[Config]]
    moves_weights: ClassVar[bool] = False
    """Whether it changes weights itself, beside the optimiser."""
    missing: str | None = None
    """What keeps a run from its first step, as a sentence; the state of a run that has begun brings it along."""

    def __init__(self, model: WorldModel, config: Any) -> None:
        super().__init__()
        self.model = model
        self.config = config

    @abstractmethod
    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns scalars by name: `loss` is minimised, the others are logged and carry no gradient.

        All are values of the global batch, equal in every process (see `jepa.core.collectives`).

        Args:
            clips: this process's part of the global batch.
            step: steps done so far; schedules and random draws are functions of it.
            total_steps: steps of the whole run.
            diagnostics: also return figures that are only worth their time on steps that are logged.
        """


OBJECTIVES: Registry[type[Objective]] = Registry(
    "objective",
    {
        "auxiliary": "jepa.objectives.auxiliary",
        "ema": "jepa.objectives.ema",
        "frozen": "jepa.objectives.frozen",
        "lejepa": "jepa.objectives.lejepa",
        "lewm": "jepa.objectives.lewm",
        "pldm": "jepa.objectives.pldm",
        "reconstruction": "jepa.objectives.reconstruction",
        "spectral": "jepa.objectives.spectral",
    },
    group="jepa.objectives",
)


def objective_config(name: str, options: Mapping[str, Any]) -> Config:
    """Returns the validated configuration of a registered objective.

    Raises:
        InputError: the name is unknown, or an option does not fit; the message names it.
    """
    return parse_options(OBJECTIVES.get(name).Config, options, "objective_options")


def make_objective(name: str, model: WorldModel, options: Mapping[str, Any] | None = None) -> Objective:
    """Returns the registered objective on a model; raises as `objective_config` does."""
    config = objective_config(name, options or {})
    # What an objective adds to the model starts the same everywhere, whatever was drawn before.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return OBJECTIVES.get(name)(model, config)
