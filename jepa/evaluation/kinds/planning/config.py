"""What the evaluation `planning` is asked to do: which problems, and which planners solve them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationInfo, field_validator

from jepa.core.config import Config
from jepa.evaluation.kinds.probing.probes import ProbeConfig
from jepa.planning.planner import PLANNERS, planner_config

REFERENCES = ("oracle", "random")
"""Planners that stand beside all others: the ceiling, against which regret is taken, and the floor."""


class PlanningConfig(Config):
    """Which problems, how long, and the planners."""

    problems: int = Field(100, gt=0, le=1_000_000)
    """problems for each split and goal kind"""
    ahead: int = Field(25, gt=0, le=1_000_000)
    """environment steps from the start to the goal in the recorded episode"""
    budget: int = Field(50, gt=0, le=1_000_000)
    """environment steps in which the goal must be met"""
    replan_every: PositiveInt = 25
    """environment steps of a plan that are carried out before the next look; the looks before a plan's end plan for the
    steps that are left"""
    planners: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"cem": {}}, validate_default=True)
    """options of each planner by the label of its rows; a label that is no planner's name has one as `planner`;
    `oracle` and `random` are always there"""
    frames_shown: NonNegativeInt = 12
    """problems whose start and goal frames are kept for the report, beside those that the model fails"""
    position_frames: PositiveInt = 4000
    """training frames for the probe that draws imagined plans"""
    position_probe: ProbeConfig = ProbeConfig(steps=600)
    """that probe"""

    @classmethod
    def with_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values; fields of before that held a planner each are named with the place that they have now."""
        for old in ("cem", "oracle"):
            if old in values:
                raise ValueError(f"{old} is called planners.{old} now; give its options there")
        return super().with_new_names(values)

    @field_validator("planners")
    @classmethod
    def _complete_planners(cls, planners: dict[str, dict[str, Any]], info: ValidationInfo) -> dict[str, dict[str, Any]]:
        # Defaults are written out: they are part of what a protocol's digest stands for.
        everyone: dict[str, dict[str, Any]] = {"oracle": {}}
        everyone |= planners
        everyone.setdefault("random", {})
        replan_every = info.data.get("replan_every", 1)
        return {label: _complete(label, {"planner": label} | given, replan_every) for label, given in everyone.items()}


def _complete(label: str, options: dict[str, Any], replan_every: int) -> dict[str, Any]:
    """Returns a planner's name and all of its options."""
    name = str(options.pop("planner"))
    if label in REFERENCES and name != label:
        raise ValueError(f"{label} is the planner of that name in every table, not {name!r}; choose another label")
    if name == "random":
        # It plans without looking: as far as its plans are carried out, and no further.
        options = {"steps": replan_every} | options
    return {"planner": name, **planner_config(name, options, field=label).model_dump(mode="json")}


def heads_of_planners(planners: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns the kinds of heads that planners, by label as in `PlanningConfig`, ask for, in alphabetical order."""
    kinds: set[str] = set()
    for given in planners.values():
        name, options = str(given["planner"]), {key: value for key, value in given.items() if key != "planner"}
        kinds |= {*PLANNERS.get(name).needs_heads(planner_config(name, options))}
    return tuple(sorted(kinds))
