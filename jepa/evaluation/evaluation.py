"""What an evaluation is: a configuration, independent units of work, and rows for the report tables.

A unit is a pure function of the model, the held episodes, the seed and its own name, so that units may run in any
order, in any process. Rows are plain dictionaries whose keys are the columns of the report tables.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.evaluation.declarations import Declarations, HeadlineFigure, Section, Table

if TYPE_CHECKING:
    from jepa.evaluation.statistics import Estimate
    from jepa.models.world_model import WorldModel
    from jepa.planning.heads.head import Head
    from jepa.planning.problem_manifest import ProblemManifest

Row = dict[str, Any]

HELD_OUT_SPLITS = ("test", "unseen")
"""The splits that figures may come from, where the source has them."""


@dataclass
class EvaluationResult:
    """Rows of the `metrics` table, and of the tables with finer rows (`episodes`, `steps`, …) by name."""

    metrics: list[Row] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    plan_seconds: list[float] = field(default_factory=list)
    """wall times of the plans that were made with the model, for who watches the work; they are no rows"""
    seconds: dict[str, float] = field(default_factory=dict)
    """wall time of some items of a unit, by what `DivisibleEvaluation.pool` files it under"""

    def extend(self, other: "EvaluationResult") -> None:
        """Appends another's rows, and adds its times."""
        self.metrics.extend(other.metrics)
        for table, rows in other.tables.items():
            self.tables.setdefault(table, []).extend(rows)
        self.plan_seconds.extend(other.plan_seconds)
        for name, seconds in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds


class Evaluation(ABC):
    """One kind of judgement on a model; subclasses are registered by their kind."""

    kind: ClassVar[str]
    Config: ClassVar[type[Config]]
    version: ClassVar[int] = 1
    """raised whenever the same model, episodes and configuration give other figures than before"""
    tables: ClassVar[tuple[Table, ...]] = ()
    """tables with finer rows than `metrics`"""
    headlines: ClassVar[tuple[HeadlineFigure, ...]] = ()
    """figures that are shown in the terminal and open the report"""
    section: ClassVar[Section | None] = None
    """its part of the report"""
    needs_simulator: ClassVar[bool] = False
    """whether it puts the world into recorded states; recordings without a simulator are judged by all others"""

    solves_problems: ClassVar[bool] = False
    """whether it solves planning problems, which are drawn once for all units (`draw_problems`, `use_problems`)"""

    @abstractmethod
    def __init__(self, config: Any, protocol: str) -> None:
        """Takes the configuration, of the class's `Config`, and the name of the protocol that it belongs to."""

    def draw_problems(self, source: EpisodeSource, seed: int) -> "ProblemManifest | None":
        """Returns the problems of all units, where the evaluation solves problems; None where it does without.

        Raises:
            InputError: the source has none, or its states cannot be simulated.
        """
        raise TypeError(f"evaluation {self.kind!r} solves no problems")

    def use_problems(self, problems: "ProblemManifest") -> None:
        """Takes the problems to be solved, in the place of those that it would draw; before `units` and `run`.

        Raises:
            InputError: the evaluation solves none.
        """
        raise InputError(f"evaluation {self.kind!r} solves no problems; leave them out, or choose planning")

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads of the model that it asks for; `run` comes after `use_heads` has given them."""
        return ()

    def farthest_goal(self) -> int:
        """Returns how many environment steps its farthest goal is ahead; 0 where it plans for none."""
        return 0

    def use_heads(self, heads: Mapping[str, "Head"]) -> None:  # noqa: B027 - most evaluations need none
        """Takes the model's fitted heads by kind, those of `needs_heads` among them."""

    def check(self, model: "WorldModel", source: EpisodeSource) -> None:  # noqa: B027 - most ask nothing of a model
        """Passes where the model, and the heads that were given, fit what is asked; after `use_heads`, before `run`.

        Raises:
            InputError: they do not, which is then said before any work starts.
        """

    @abstractmethod
    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the names of the parts that can be run apart from each other.

        Raises:
            InputError: the source has nothing that this evaluation could judge.
        """

    @abstractmethod
    def run(self, unit: str, model: "WorldModel", source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns the rows of one unit; the model is put into evaluation mode and otherwise left as it is."""


class DivisibleEvaluation(Evaluation):
    """One whose units consist of items that are judged apart from each other, e.g. planning problems.

    Several workers share a unit, each with a slice of its items. `run` pools all items of a unit in the same way, so
    that its rows do not depend on who did which of them.
    """

    @abstractmethod
    def items(self, unit: str, source: EpisodeSource, seed: int) -> int:
        """Returns how many items a unit has."""

    @abstractmethod
    def run_items(
        self, unit: str, items: range | None, model: "WorldModel", source: EpisodeSource, seed: int
    ) -> EvaluationResult:
        """Returns the finer rows of some items of a unit, by default of all, and no row of `metrics`."""

    @abstractmethod
    def pool(self, unit: str, found: EvaluationResult, seed: int) -> EvaluationResult:
        """Returns the rows of a unit, made of the finer rows of all its items, in whatever order they are.

        They may have lain in a store in between, whose tables read a missing value, and a NaN, as None.
        """

    def run(self, unit: str, model: "WorldModel", source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns the rows of one unit, pooled."""
        return self.pool(unit, self.run_items(unit, None, model, source, seed), seed)


EVALUATIONS: Registry[type[Evaluation]] = Registry(
    "evaluation",
    {
        "decoding": "jepa.evaluation.kinds.decoding.evaluation",
        "geometry": "jepa.evaluation.kinds.geometry.evaluation",
        "identifiability": "jepa.evaluation.kinds.identifiability.evaluation",
        "latent": "jepa.evaluation.kinds.latent.evaluation",
        "planning": "jepa.evaluation.kinds.planning.evaluation",
        "probing": "jepa.evaluation.kinds.probing.evaluation",
        "regret_decomposition": "jepa.evaluation.kinds.regret_decomposition.evaluation",
        "spectrum": "jepa.evaluation.kinds.spectrum.evaluation",
        "surprise": "jepa.evaluation.kinds.surprise.evaluation",
    },
    group="jepa.evaluations",
)


def declared(kind: str) -> Declarations:
    """Returns what a kind of evaluation declares; a built-in one is not imported for it, which would bring torch along.

    Raises:
        InputError: there is no such kind.
    """
    if (module := EVALUATIONS.module_of(kind)) is not None:
        report = importlib.import_module(f"{module.rpartition('.')[0]}.report")
        return Declarations(report.TABLES, report.HEADLINES, report.SECTION)
    entry = EVALUATIONS.get(kind)
    return Declarations(entry.tables, entry.headlines, entry.section)


def present_splits(source: EpisodeSource, splits: Iterable[str] = HELD_OUT_SPLITS) -> list[str]:
    """Returns those of the splits that hold episodes."""
    return [split for split in splits if source.count(split)]


def require_episodes(source: EpisodeSource, kind: str, splits: Iterable[str] = ("train", "test")) -> None:
    """Passes where each of the splits holds episodes: those to fit on and those to judge.

    Raises:
        InputError: one holds none.
    """
    for split in splits:
        if not source.count(split):
            raise InputError(f"dataset has no {split!r} episodes, which {kind} needs; collect more episodes")


def metric_row(estimate: "Estimate", *, metric: str, unit: str, **columns: Any) -> Row:
    """Returns a row of the `metrics` table; a column that does not apply to the figure is None."""
    empty = dict.fromkeys(("planner", "privileged", "probe", "shift", "strength", "quantity", "goal", "seconds"))
    figures = {"value": estimate.value, "n": estimate.n, "ci_low": estimate.low, "ci_high": estimate.high}
    return {**empty, **columns, "metric": metric, "unit": unit, **figures}
