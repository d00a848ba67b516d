"""Verdicts: read off intervals, and withheld where cells are missing."""

import numpy as np
import pytest

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, Finding, mean_interval, side_of

ROWS = [
    {"experiment": "a", "seed": seed, "arm": arm, "metric": "r2", "value": value + 0.01 * seed}
    for arm, value in (("one", 0.9), ("other", 0.5))
    for seed in range(3)
]


@pytest.mark.parametrize(
    ("interval", "above", "below"),
    [
        ((0.6, 0.7), "held", "did not hold"),
        ((0.4, 0.7), "not decided", "not decided"),
        ((0.1, 0.4), "did not hold", "held"),
    ],
)
def test_a_verdict_needs_the_whole_interval(interval: tuple[float, float], above: str, below: str) -> None:
    estimate = Estimate(sum(interval) / 2, *interval, 3)
    assert side_of(0.5, [estimate], "").verdict == above
    assert side_of(0.5, [estimate], "", above=False).verdict == below


def test_all_figures_must_lie_on_the_side_and_the_worst_is_shown() -> None:
    good, bad = Estimate(0.9, 0.8, 1.0, 3), Estimate(0.6, 0.55, 0.65, 4)
    found = side_of(0.5, [good, bad], "words")
    assert (found.verdict, found.value, found.low, found.high, found.n) == ("held", 0.6, 0.55, 0.65, 4)
    assert side_of(0.7, [good, bad], "").verdict == "did not hold"
    assert side_of(0.5, [good, None], "").verdict == side_of(0.5, [], "").verdict == "not decided"


def test_one_seed_decides_nothing() -> None:
    alone = side_of(0.5, [mean_interval([0.9])], "")
    assert (alone.verdict, alone.low, alone.high) == ("not decided", None, None)


def test_the_interval_over_seeds_covers() -> None:
    draws = np.random.default_rng(0).normal(1.0, 2.0, size=(4000, 3))
    inside = [one.low <= 1.0 <= one.high for one in map(mean_interval, draws)]
    assert abs(np.mean(inside) - 0.95) < 0.015


def test_rows_are_asked_by_field_and_paired_by_seed() -> None:
    rows = CellRows(ROWS)
    assert rows.by_seed("r2", arm="one") == pytest.approx({0: 0.9, 1: 0.91, 2: 0.92})
    assert rows.over_seeds("r2", arm="none") is None and rows.distinct("arm") == ["one", "other"]
    difference = rows.difference("r2", {"arm": "one"}, {"arm": "other"})
    assert difference is not None and difference.value == pytest.approx(0.4)
    assert difference.high - difference.low == pytest.approx(0.0, abs=1e-9)
    assert rows.difference("r2", {"arm": "one"}, {"arm": "none"}) is None


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_is_not_finite_decides_nothing_and_is_no_number_of_a_finding(odd: float) -> None:
    rows = [*ROWS, {**ROWS[0], "seed": 3, "value": odd}]
    for above in (True, False):
        estimates = [CellRows(rows).over_seeds("r2", arm="one"), CellRows(ROWS).over_seeds("r2", arm="other")]
        found = side_of(0.7, [estimates[0]], "", above=above)
        assert (found.verdict, found.value, found.low, found.high, found.n) == ("not decided", None, None, None, 4)
        assert side_of(0.2, estimates, "").verdict == "not decided"
    own = Finding("held", "", odd, 0.0, odd)
    assert (own.value, own.low, own.high) == (None, None, None)
