"""Claims about the trade-off of latent dimensions and samples: Theorems 4.4 to 4.6."""

import itertools

import numpy as np

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, Claim, Finding, Verdict, mean_interval, side_of, undecided
from jepa.studies.generalization.tabular.worlds import Floats


def _curves(rows: CellRows, metric: str, quantity: str) -> tuple[list[float], Floats] | None:
    """Returns the sizes, and a metric's values (seeds, sizes) where every seed has all of them."""
    found = rows.where(metric=metric, quantity=quantity)
    sizes = found.distinct("x")
    by_size = [found.by_seed(metric, x=x) for x in sizes]
    seeds = sorted(set.intersection(*(set(one) for one in by_size))) if by_size else []
    if not seeds:
        return None
    return sizes, np.array([[one[seed] for one in by_size] for seed in seeds])


def _rises(curves_SX: Floats, sign: float) -> list[Estimate]:
    """Returns the rise (fall for sign -1) from each size to the next, with its interval over seeds."""
    return [mean_interval(step) for step in sign * np.diff(curves_SX, axis=1).T]


def _parts(rows: CellRows) -> Finding:
    found, estimates, words = rows.where(experiment="tradeoff"), [], []
    for samples in found.distinct("samples"):
        own = found.where(samples=samples)
        approximation, sample = _curves(own, "error", "approximation error"), _curves(own, "error", "sample error")
        if approximation is None or sample is None:
            continue
        estimates += _rises(approximation[1], -1) + _rises(sample[1], 1)
        first, last = sample[1].mean(0)[[0, -1]]
        words.append(f"n = {samples}: sample error {first:.2f} to {last:.2f}")
    return side_of(0.0, estimates, "; ".join(words)) if estimates else undecided()


def _interior(rows: CellRows, metric: str, quantity: str, digits: int) -> Finding:
    found, estimates, words = rows.where(experiment="tradeoff"), [], []
    for samples in found.distinct("samples"):
        curves = _curves(found.where(samples=samples), metric, quantity)
        if curves is None:
            continue
        sizes, curves_SX = curves
        best = int(curves_SX.mean(0).argmin())
        estimates += [mean_interval(curves_SX[:, end] - curves_SX[:, best]) for end in (0, -1)]
        ends = [f"{curves_SX.mean(0)[place]:.{digits}f}" for place in (0, best, -1)]
        words.append(
            f"n = {samples}: {ends[0]} at k = {sizes[0]:.0f}, {ends[1]} at {sizes[best]:.0f}, {ends[2]} at all"
        )
    return side_of(0.0, estimates, "; ".join(words)) if estimates else undecided()


def _risk(rows: CellRows) -> Finding:
    return _interior(rows, "error", "risk", 2)


def _regret(rows: CellRows) -> Finding:
    return _interior(rows, "regret", "measured", 4)


def _drift(rows: CellRows) -> Finding:
    found, best, words = rows.where(experiment="tradeoff"), {}, []
    for samples in found.distinct("samples"):
        curves = _curves(found.where(samples=samples), "error", "risk")
        if curves is not None:
            sizes, curves_SX = curves
            best[samples] = np.asarray(sizes)[curves_SX.argmin(1)]
            words.append(f"k = {sizes[int(curves_SX.mean(0).argmin())]:.0f} at n = {samples}")
    drawn = list(best.values())
    if len(drawn) < 2 or len({len(one) for one in drawn}) > 1:
        return undecided()
    steps = [mean_interval(larger - smaller) for smaller, larger in itertools.pairwise(drawn)]
    worst = min(steps, key=lambda one: one.low)
    verdict: Verdict = (
        "held" if worst.low >= 0 else "did not hold" if min(one.high for one in steps) < 0 else "not decided"
    )
    found_words = f"least risk at {', '.join(words)}; least step {worst.value:.1f}"
    return Finding(verdict, found_words, worst.value, worst.low, worst.high, worst.n)


SAMPLING = (
    Claim(
        "trade-off-parts",
        "Theorems 4.3 and 4.4",
        "With the latent dimension the approximation error falls and the sample error grows.",
        "a bound that grows with k; no figure",
        _parts,
    ),
    Claim(
        "trade-off-risk",
        "Theorems 4.5 and 4.6",
        "The risk is least at a latent dimension between the ends, for each number of samples.",
        "no figure",
        _risk,
    ),
    Claim(
        "trade-off-regret",
        "Theorems 4.5 and 4.6",
        "So is the regret: few dimensions and all of them, which is prediction of the input, plan worse.",
        "no figure",
        _regret,
    ),
    Claim(
        "trade-off-drift",
        "Theorems 4.5 and 4.6",
        "The best latent dimension does not fall as samples are added.",
        "no figure",
        _drift,
    ),
)
