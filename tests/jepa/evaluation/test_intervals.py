"""Every figure lies in its interval: over all ways of making one, on random and on awkward inputs."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jepa.evaluation import statistics
from jepa.evaluation.kinds.latent.evaluation import overall_effective_rank
from jepa.evaluation.kinds.latent.gaussianity import batch_sigreg
from jepa.evaluation.statistics import Estimate, bootstrap_mean, bootstrap_regression, paired_auroc, wilson
from tests.golden.figures import held

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

DRAWS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) ** 3,
    "few values": lambda rng, shape: rng.integers(0, 3, shape).astype(float),
    "outlier": lambda rng, shape: np.where(rng.random(shape) < 1 / shape[0], 1e3, 0.1),
    "alike": lambda rng, shape: np.full(shape, 0.1),
}


def estimates(draw: Draw, groups: int, frames: int, seed: int) -> Iterator[tuple[str, Estimate]]:
    """Yields an estimate of each metric of the evaluations, from groups that have a part in common."""
    rng = np.random.default_rng(seed)
    values = draw(rng, (groups,))
    yield "rate", wilson(int((values > 0.5).sum()), groups)
    yield "mean", bootstrap_mean(values, seed, 400)
    yield "auroc", paired_auroc(values, draw(rng, (groups,)))
    yield "auroc of near ties", paired_auroc(values + 1e-6, values)
    index = np.repeat(np.arange(groups), frames)
    true = draw(rng, (groups, 2))[index]
    noisy = true + draw(rng, true.shape)
    for name, estimate in bootstrap_regression(true, noisy, index, seed, 400).items():
        yield name, estimate
    constant = np.where(np.arange(groups) % 2, 1.0, -1.0)[index][:, None]
    for name, estimate in bootstrap_regression(constant, 0.9 * constant, index, seed, 400).items():
        yield f"{name} of two values", estimate
    latents = [draw(rng, (1, 6)) + 0.1 * draw(rng, (frames, 6)) for _ in range(groups)]
    yield "effective_rank", overall_effective_rank(latents, 50)
    yield "sigreg", batch_sigreg(latents, 128, seed, 50)


@pytest.mark.parametrize("draw", DRAWS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(groups=st.integers(1, 40), frames=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_a_value_lies_in_its_interval(draw: str, groups: int, frames: int, seed: int) -> None:
    for name, one in estimates(DRAWS[draw], groups, frames, seed):
        assert np.isnan(one.low) == np.isnan(one.high), name
        assert np.isnan(one.low) or one.low <= one.value <= one.high, (name, one)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("groups", [10, 100])
def test_resampled_values_scatter_about_the_value(draw: str, groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only at its edge: a method that moves all resamples to one side of the value would be the wrong one."""
    seen: list[tuple[float, Floats]] = []
    whole = statistics.percentile_interval

    def watched(value: float, resampled_R: Floats, n: int) -> Estimate:
        seen.append((value, np.asarray(resampled_R)))
        return whole(value, resampled_R, n)

    monkeypatch.setattr(statistics.regression, "percentile_interval", watched)
    for seed in range(10):
        seen.clear()
        list(estimates(DRAWS[draw], groups, 4, seed))
        assert seen
        for value, resampled_R in seen:
            rounding = 1e-9 * max(1, abs(value))
            finite = resampled_R[np.isfinite(resampled_R)]
            if len(finite):
                assert (finite <= value + rounding).mean() > 0.025, (seed, value)
                assert (finite >= value - rounding).mean() > 0.025, (seed, value)


def test_a_run_s_figures_lie_in_their_intervals() -> None:
    for name, row in held("metric_rows").items():
        if row["ci_low"] is not None:
            assert row["ci_low"] <= row["value"] <= row["ci_high"], name
