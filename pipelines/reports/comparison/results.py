"""What a comparison finds, as plain values for terminal, page and programs."""

from collections.abc import Collection
from typing import Literal

from jepa.core.config import Config
from jepa.evaluation.statistics import LEVEL
from pipelines.reports.words import plain


class Difference(Config):
    """One figure of two sides, the second's less the first's, with its 95 % interval."""

    first: str
    second: str
    evaluation: str
    protocol: str
    split: str
    seed: int
    labels: tuple[tuple[str, str], ...]
    """what else tells it from others: goal, offset, planner, perturbation, probe …"""
    privileged: bool = False
    """whether the planner knows what no camera shows"""
    metric: str
    unit: str
    less_is_better: bool | None
    """None where neither side is better"""
    first_value: float
    second_value: float
    difference: float
    ci_low: float | None
    ci_high: float | None
    n: int
    """problems or episodes that both sides have; of an unpaired figure, its samples"""
    missing: int = 0
    """problems or episodes that some model has and another has not"""
    over: Literal["problems", "episodes", "seeds", "problems and seeds", "unpaired"]
    """what the interval is over; `unpaired`: no rows pair, and the two intervals are put together"""
    only_first: int | None = None
    """problems that the first alone solved"""
    only_second: int | None = None
    p_value: float | None = None
    """of McNemar's exact test; without it, that which belongs to the interval"""
    p_holm: float | None = None
    """the same after Holm's correction for all tests of the comparison; the verdict follows it"""
    improvement: float | None = None
    """probability that the second does better on a problem, ties counting half"""
    improvement_low: float | None = None
    improvement_high: float | None = None

    @property
    def verdict(self) -> Literal["better", "worse", "different", "open"]:
        """Whether the second is better than the first, or worse; open where the corrected test finds no difference."""
        if self.p_holm is None or self.p_holm >= LEVEL or not self.difference:
            return "open"
        if self.less_is_better is None:
            return "different"
        return "better" if (self.difference < 0) == self.less_is_better else "worse"

    def words(self, shown: Collection[str]) -> str:
        """Returns the labels of these names, with the split, in one line."""
        return label_words(self.labels, self.split, shown) + (", privileged" if self.privileged else "")


class SeedsMean(Config):
    """The interquartile mean of a figure over the training seeds of one side, and over kinds of goals and the like."""

    side: str
    evaluation: str
    protocol: str
    metric: str
    planner: str = ""
    value: float
    ci_low: float | None
    ci_high: float | None
    seeds: int
    tasks: int
    """kinds of goals, offsets, splits … whose scores are put together"""
    less_is_better: bool


class Component(Config):
    """A part of the variance of one score."""

    of: str
    """the factors that make it: seed, stream, problem, or several of them together"""
    variance: float
    share: float | None
    """of the variance of one score; None where nothing varies"""


class VarianceTable(Config):
    """Where the scatter of a figure comes from, and what a difference of two recipes is worth."""

    side: str
    evaluation: str
    protocol: str
    split: str
    labels: tuple[tuple[str, str], ...]
    metric: str
    unit: str
    seeds: int
    streams: int
    problems: int
    mean: float
    components: tuple[Component, ...]
    mean_error: float
    """standard error of the mean over other seeds, streams and problems, as many as these"""
    difference_error: float
    """standard error of the difference of two recipes on the same problems"""
    detectable: float
    """difference that is found at the 5 % level in 80 % of comparisons of this size"""

    def words(self, shown: Collection[str]) -> str:
        """Returns the labels of these names, with the split, in one line."""
        return label_words(self.labels, self.split, shown)

    def share_of(self, *wanted: str) -> float | None:
        """Returns the share of these components together; None where nothing varies."""
        shares = [one.share for one in self.components if one.of in wanted]
        return None if None in shares else sum(share for share in shares if share is not None)

    @property
    def rest(self) -> float | None:
        """The share of what the three sources make together."""
        return self.share_of(*(one.of for one in self.components if "×" in one.of))


def label_words(labels: tuple[tuple[str, str], ...], split: str, shown: Collection[str]) -> str:
    """Returns the labels of these names as words, with the split, in one line."""
    named = [f"{value} ahead" if name == "offset" else value for name, value in labels if name in shown]
    return ", ".join([*map(plain, named), split])


class Comparison(Config):
    """All that was found; the first side is what the others differ from."""

    sides: dict[str, tuple[str, ...]]
    """the models of each, with their digests"""
    differences: tuple[Difference, ...]
    seeds: tuple[SeedsMean, ...]
    variance: tuple[VarianceTable, ...]
    notes: tuple[str, ...]
    """sentences on what was not compared, and why"""
