"""What an objective is: a loss on clips, with its configuration, under a name.

Shapes: B clips, T frames, K actions of an action block, A action dimensions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.config import Config, parse_options
from jepa.core.seeds import seeded
from jepa.models.world_model import WorldModel
from jepa.objectives.registry import OBJECTIVES as OBJECTIVES

if TYPE_CHECKING:
    from jepa.planning.heads.head import Head


class Objective(nn.Module, ABC):
    """A loss that trains a world model; it holds the model, and whatever else it needs to train is part of it too."""

    Config: ClassVar[type[Config]]
    moves_weights: ClassVar[bool] = False
    """Whether it changes weights itself, beside the optimiser."""
    seed: int = 0
    """Seed of the run, which the trainer sets; what a step draws is a function of it, the stream's name and the step"""
    missing: str | None = None
    """What keeps a run from its first step, as a sentence; the state of a run that has begun brings it along."""

    def __init__(self, model: WorldModel, config: Any) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def check_horizon(self, horizon: int) -> None:
        """Passes where clips of so many frames beyond the model's history are long enough for it.

        Raises:
            InputError: they are too short; the message says which option to raise.
        """

    def planning_head(self) -> "Head | None":
        """Returns the head for planners that is trained with the model, None where there is none."""
        return None

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


def objective_config(name: str, options: Mapping[str, Any]) -> Config:
    """Returns the validated configuration of a registered objective.

    Raises:
        InputError: the name is unknown, or an option does not fit; the message names it.
    """
    return parse_options(OBJECTIVES.get(name).Config, options, "objective_options")


def make_objective(name: str, model: WorldModel, options: Mapping[str, Any] | None = None, seed: int = 0) -> Objective:
    """Returns the registered objective on a model.

    Args:
        name: registered name.
        model: what is trained.
        options: fields of the objective's own configuration.
        seed: of the initial weights of what the objective adds to the model, and of the draws of a step.

    Raises:
        InputError: as `objective_config`.
    """
    config = objective_config(name, options or {})
    with seeded(seed, "objective"):
        objective = OBJECTIVES.get(name)(model, config)
    objective.seed = seed
    return objective
