"""What the evaluation `regret_decomposition` is asked to do: which problems and planners, and what the menu holds."""

from typing import Any

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from jepa.core.config import Config
from jepa.planning.planner import complete_planner


class RegretDecompositionConfig(Config):
    """Which problems, the planners, and how many candidates of each origin a menu has."""

    problems: int = Field(50, gt=0, le=1_000_000)
    """problems for each split and goal kind"""
    ahead: PositiveInt = 25
    """environment steps from the start to the goal in the recorded episode"""
    planners: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {"cem": {}}, min_length=1, max_length=64, validate_default=True
    )
    """options of each planner by the label of its rows; a label that is no planner's name has one as `planner`"""
    from_planners: int = Field(24, gt=0, le=100_000)
    """candidates from the planners: the plan of each, and others of its last iteration"""
    from_demonstration: int = Field(16, gt=1, le=100_000)
    """candidates from the recording: its own actions, which arrive and are not ranked, and perturbed copies of them"""
    random: int = Field(24, ge=0, le=100_000)
    """random candidates, of one uniform action an action block"""
    perturbation: PositiveFloat = 1.0
    """standard deviation of the noise on the last copy, in units of half the action range; it rises evenly to it"""
    problems_shown: NonNegativeInt = 4
    """problems of each split and goal kind whose candidates are kept one by one"""

    @field_validator("planners")
    @classmethod
    def _complete_planners(cls, planners: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        asked = {label: {"planner": label} | given for label, given in planners.items()}
        return {label: complete_planner(str(given.pop("planner")), given, label) for label, given in asked.items()}

    @model_validator(mode="after")
    def _a_plan_of_each(self) -> "RegretDecompositionConfig":
        if self.from_planners < len(self.planners):
            raise ValueError(
                f"from_planners is {self.from_planners} and there are {len(self.planners)} planners, each of which has "
                f"its plan on the menu; give {len(self.planners)} or more"
            )
        return self

    @property
    def candidates(self) -> int:
        """Returns C, the candidates of a menu."""
        return self.from_planners + self.from_demonstration + self.random
