"""What the evaluation `planning` is asked to do: which problems, and which planners solve them."""

import math
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationInfo, field_validator, model_validator

from jepa.core.config import Config
from jepa.evaluation.kinds.planning.selection import Pairs
from jepa.evaluation.kinds.probing.probes import ProbeConfig
from jepa.planning.planner import PLANNERS, Planner, PlanningSetting, complete_planner, planner_config
from jepa.worlds.success import USUAL

REFERENCES = ("oracle", "random")
"""Planners that stand beside all others: the ceiling, against which regret is taken, and the floor."""
NO_OPTIONS = ("planner", "replan_every")
"""What is said of a planner beside its own options."""


class PlanningConfig(Config):
    """Which problems, how long, and the planners."""

    renamed: ClassVar[Mapping[str, str]] = {"ahead": "offsets"}

    problems: int = Field(100, gt=0, le=1_000_000)
    """problems for each split, goal kind and offset"""
    offsets: tuple[PositiveInt, ...] = Field((25,), min_length=1)
    """environment steps from the start to the goal in the recorded episode, of stitched pairs the most that their
    shortest way may take: one number, or several, whose problems are apart in every table"""
    pairs: Pairs = "episode"
    """`episode`: start and goal are rows of one episode; `stitched`: of two, so that no recording joins them"""
    budget: int = Field(50, gt=0, le=1_000_000)
    """environment steps in which the goal must be met"""
    budget_factor: PositiveFloat | None = None
    """that budget as a multiple of the offset; `budget` says nothing then"""
    goal_kinds: tuple[str, ...] = ()
    """goal kinds of the world that are used; none are all of them"""
    success_kind: str = USUAL
    """the world's test of success: `usual`, or one that it declares, e.g. `moderate` or `strict`"""
    remove_solved: bool | None = None
    """whether problems whose start meets the goal already are left out; by default as the success kind says, and always
    of stitched pairs"""
    one_pair_an_episode: bool = False
    """whether an episode gives one start of each goal kind and offset at most"""
    planner_seeds: int = Field(1, gt=0, le=1000)
    """random streams that each planner solves each problem with; intervals are over problems"""
    history: Literal["real", "one"] | None = None
    """frames that planners see which have the option `history`: the real past, or one frame; by default their own"""
    replan_every: PositiveInt = 25
    """environment steps of a plan that are carried out before the next look; the looks before a plan's end plan for the
    steps that are left"""
    planners: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"cem": {}}, validate_default=True)
    """options of each planner by the label of its rows; a label that is no planner's name has one as `planner`, and any
    may have a `replan_every` of its own; `oracle` and `random` are always there"""
    frames_shown: NonNegativeInt = 12
    """problems whose start and goal frames are kept for the report, beside those that the model fails"""
    position_frames: PositiveInt = 4000
    """training frames for the probe that draws imagined plans"""
    position_probe: ProbeConfig = ProbeConfig(steps=600)
    """that probe"""

    def budget_of(self, offset: int) -> int:
        """Returns the environment steps in which a goal at that offset must be met."""
        return self.budget if self.budget_factor is None else math.ceil(self.budget_factor * offset)

    def replan_of(self, label: str) -> int:
        """Returns the environment steps from look to look of the planner with that label."""
        return int(self.planners[label].get("replan_every", self.replan_every))

    @model_validator(mode="after")
    def _no_recording_joins_stitched_pairs(self) -> "PlanningConfig":
        for label, given in self.planners.items():
            if self.pairs == "stitched" and (given["planner"] == "demonstration" or given.get("from_demonstration")):
                option = "" if given["planner"] == "demonstration" else ".from_demonstration"
                raise ValueError(
                    f"planners.{label}{option} needs what was recorded between start and goal, and no recording joins "
                    "stitched pairs; leave it out, or choose `pairs: episode`"
                )
        return self

    @classmethod
    def with_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values; fields of before that held a planner each are named with the place that they have now."""
        for old in ("cem", "oracle"):
            if old in values:
                raise ValueError(f"{old} is called planners.{old} now; give its options there")
        return super().with_new_names(values)

    @field_validator("offsets", mode="before")
    @classmethod
    def _one_offset_is_a_list_of_one(cls, offsets: Any) -> Any:
        return (offsets,) if isinstance(offsets, int | str) else offsets

    @field_validator("offsets", "goal_kinds")
    @classmethod
    def _each_once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("planners")
    @classmethod
    def _complete_planners(cls, planners: dict[str, dict[str, Any]], info: ValidationInfo) -> dict[str, dict[str, Any]]:
        everyone: dict[str, dict[str, Any]] = {"oracle": {}}
        everyone |= planners
        everyone.setdefault("random", {})
        replan_every, history = info.data.get("replan_every", 1), info.data.get("history")
        asked = {label: {"planner": label} | given for label, given in everyone.items()}
        if history is not None and not any(_takes_history(str(given["planner"])) for given in asked.values()):
            raise ValueError(f"history is {history!r} and no planner here has that option; leave it out")
        return {label: _complete(label, given, replan_every, history) for label, given in asked.items()}


def _takes_history(name: str) -> bool:
    return "history" in PLANNERS.get(name).Config.model_fields


def _complete(label: str, options: dict[str, Any], replan_every: int, history: str | None) -> dict[str, Any]:
    """Returns a planner's name and all of its options."""
    name = str(options.pop("planner"))
    if label in REFERENCES and name != label:
        raise ValueError(f"{label} is the planner of that name in every table, not {name!r}; choose another label")
    own = {key: _whole(f"{label}.{key}", options.pop(key)) for key in ("replan_every",) if key in options}
    if name == "random":
        # It plans without looking: as far as its plans are carried out, and no further.
        options = {"steps": own.get("replan_every", replan_every)} | options
    if history is not None and _takes_history(name):
        options = {"history": history} | options
    return {**complete_planner(name, options, label), **own}


def heads_of_planners(planners: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns the kinds of heads that planners, by label as in `PlanningConfig`, ask for, in alphabetical order."""
    kinds: set[str] = set()
    for given in planners.values():
        kind, config = _of(given)
        kinds |= {*kind.needs_heads(config)}
    return tuple(sorted(kinds))


def privileged_planners(planners: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Returns for the label of each planner, as in `PlanningConfig`, whether it knows more than frames and actions."""
    return {label: kind.is_privileged(config) for label, (kind, config) in ((k, _of(v)) for k, v in planners.items())}


def opened_planners(
    opened: ExitStack, planners: Mapping[str, Mapping[str, Any]], setting: PlanningSetting
) -> dict[str, Planner]:
    """Returns planners by label, as in `PlanningConfig`, which are closed at the end of a context.

    Raises:
        InputError: one of them does not fit the model, its heads or the world.
    """
    found: dict[str, Planner] = {}
    for label, given in planners.items():
        kind, config = _of(given)
        found[label] = opened.enter_context(closing(kind(config, setting)))
    return found


def _of(given: Mapping[str, Any]) -> tuple[type[Planner], Config]:
    """Returns a planner's class and configuration."""
    name, options = str(given["planner"]), {key: value for key, value in given.items() if key not in NO_OPTIONS}
    return PLANNERS.get(name), planner_config(name, options)


def _whole(field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{field} should be a whole number above 0, got {value!r}")
    return value
