"""Components of variance against those that the scores were made of."""

import numpy as np
import pytest

from jepa.evaluation.statistics import Floats, variance_split

TRUE = {
    ("seed",): 0.04,
    ("stream",): 0.01,
    ("problem",): 0.25,
    ("seed", "stream"): 0.02,
    ("seed", "problem"): 0.09,
    ("stream", "problem"): 0.03,
    ("seed", "stream", "problem"): 0.16,
}


def made(rng: np.random.Generator, seeds: int, streams: int, problems: int) -> Floats:
    sizes = {"seed": seeds, "stream": streams, "problem": problems}
    return np.full((seeds, streams, problems), 0.7) + sum(
        rng.normal(0, np.sqrt(variance), [size if name in factors else 1 for name, size in sizes.items()])
        for factors, variance in TRUE.items()
    )


def test_the_mean_estimate_of_many_small_designs_is_the_truth() -> None:
    """Six seeds, six streams, forty problems, 300 times; where nothing is cut off at 0 the method is unbiased."""
    rng = np.random.default_rng(0)
    found = [variance_split(made(rng, 6, 6, 40)) for _ in range(300)]
    for factors, variance in TRUE.items():
        mean = np.mean([one.components[factors] for one in found if one is not None])
        assert mean == pytest.approx(variance, rel=0.12, abs=0.002), factors


def test_standard_errors_are_those_of_designs_that_are_made_again() -> None:
    rng = np.random.default_rng(1)
    large = variance_split(made(np.random.default_rng(2), 60, 60, 100))
    assert large is not None
    assert large.share("problem") == pytest.approx(0.25 / 0.6, abs=0.08)
    means = [made(rng, 3, 3, 100).mean() for _ in range(2000)]
    assert large.mean_error(seed=3, stream=3, problem=100) == pytest.approx(np.std(means), rel=0.15)
    assert large.difference_error(seed=3, stream=3, problem=100) == pytest.approx(
        np.sqrt(2 * (0.04 / 3 + 0.02 / 9 + 0.09 / 300 + 0.16 / 900)), rel=0.2
    )
    assert large.detectable(seed=3) == pytest.approx(2.8016 * large.difference_error(seed=3), rel=1e-4)


def test_two_factors_are_split_like_a_table_of_two_ways() -> None:
    """By the textbook's formulas: MS of rows less the residual's, over the columns."""
    scores = np.random.default_rng(3).normal(size=(4, 9)) + np.arange(4)[:, None]
    found = variance_split(scores[:, None, :])
    assert found is not None and found.levels == {"seed": 4, "problem": 9}
    rows, columns = scores.mean(1), scores.mean(0)
    residual = scores - rows[:, None] - columns + scores.mean()
    rest = (residual**2).sum() / (3 * 8)
    assert found.components["seed", "problem"] == pytest.approx(rest)
    assert found.components[("seed",)] == pytest.approx((9 * rows.var(ddof=1) - rest) / 9)
    assert found.components[("problem",)] == pytest.approx(max(0, (4 * columns.var(ddof=1) - rest) / 4))


def test_what_cannot_be_split_is_none_and_what_does_not_vary_has_no_share() -> None:
    assert variance_split(np.zeros((1, 3, 9))) is None
    assert variance_split(np.zeros((3, 1, 1))) is None
    assert variance_split(np.full((3, 1, 9), np.nan)) is None
    constant = variance_split(np.ones((3, 3, 9)))
    assert constant is not None and constant.total == 0 and np.isnan(constant.share("seed"))
    assert constant.detectable() == 0
