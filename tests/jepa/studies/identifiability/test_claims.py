"""Claims are decided by intervals over seeds, in both directions, and wait for their cells."""

from collections.abc import Sequence
from typing import Any

import pytest

from jepa.studies.claims import CellRows, Finding, mean_interval
from jepa.studies.identifiability.claims import CLAIMS, r2_interval

JUDGES = {claim.name: claim.judge for claim in CLAIMS}


def rows(metric: str, values: Sequence[float], **fields: Any) -> list[dict[str, Any]]:
    return [{"metric": metric, "value": value, "seed": seed, **fields} for seed, value in enumerate(values)]


def judged(name: str, *groups: list[dict[str, Any]]) -> Finding:
    return JUDGES[name](CellRows([row for group in groups for row in group]))


def test_names_are_unique() -> None:
    assert len(JUDGES) == len(CLAIMS) > 20


@pytest.mark.parametrize("name", JUDGES)
def test_without_cells_nothing_is_decided(name: str) -> None:
    assert judged(name).verdict == "not decided"
    assert judged(name, rows("another", [1.0, 2.0, 3.0], experiment="scaling", objective="lejepa", dim=2)).verdict == (
        "not decided"
    )


def test_recovery_needs_every_dimension() -> None:
    def scaling(dim: int, values: Sequence[float]) -> list[dict[str, Any]]:
        return rows("r2", values, experiment="scaling", objective="lejepa", dim=dim)

    good = scaling(2, [0.9995, 0.9996, 0.9997])
    assert judged("recovery-at-every-dimension", good).verdict == "held"
    assert judged("recovery-at-every-dimension", good, scaling(4, [0.9, 0.91, 0.9])).verdict == "did not hold"
    assert judged("recovery-at-every-dimension", good, scaling(4, [0.9995, 0.9, 0.9999])).verdict == "not decided"


def distribution(alpha: float, values: Sequence[float], metric: str = "r2") -> list[dict[str, Any]]:
    return rows(metric, values, experiment="latents", objective="whiten", mixing="sinusoid", alpha=alpha)


def test_the_peak_needs_disjoint_intervals() -> None:
    top = distribution(2.0, [0.994, 0.9942, 0.9944])
    uniform, heavy = distribution(32.0, [0.982, 0.981, 0.982]), distribution(0.5, [0.90, 0.92, 0.93])
    assert judged("whitening-peaks-at-the-gaussian", top, uniform, heavy).verdict == "held"
    wide = distribution(0.5, [0.5, 0.9, 0.9995])
    assert judged("whitening-peaks-at-the-gaussian", top, uniform, wide).verdict == "not decided"
    better = distribution(32.0, [0.999, 0.9991, 0.9992])
    assert judged("whitening-peaks-at-the-gaussian", top, better, heavy).verdict == "did not hold"
    assert judged("whitening-peaks-at-the-gaussian", top).verdict == "not decided"


def test_intervals_of_r2_stay_within_its_bounds() -> None:
    apart = r2_interval(dict(enumerate([0.51, 0.93, 0.89, 0.45, 0.91, 0.91])))
    assert 0.45 < apart.low < apart.value < apart.high < 0.96
    plain = mean_interval([0.51, 0.93, 0.89, 0.45, 0.91, 0.91])
    assert plain.high > 0.99
    near = r2_interval(dict(enumerate([0.992, 0.993, 0.994])))
    assert 0.98 < near.low < near.value < near.high < 1.0 and near.value == pytest.approx(0.993, abs=1e-3)
    assert r2_interval({0: 0.9}).low == 0.0 and r2_interval({0: 0.9}).high == 1.0
    assert r2_interval({0: -0.1, 1: 1.0}).value > 0.9


def test_the_bound_is_judged_apart_for_the_gaussian_and_others() -> None:
    def table(alpha: float, bounds: Sequence[float], metric: str, errors: Sequence[float]) -> list[dict[str, Any]]:
        slacks = [bound - error for bound, error in zip(bounds, errors, strict=True)]
        return distribution(alpha, bounds, "bound") + distribution(alpha, slacks, metric)

    # Loose by factors: the differences' own interval would reach below zero.
    gaussian = table(2.0, [0.002, 0.03, 0.3], "slack", [0.001, 0.01, 0.1])
    uniform = table(32.0, [0.001, 0.0012, 0.001], "slack", [0.036, 0.035, 0.036])
    assert judged("bound-holds-for-trained-encoders", gaussian, uniform).verdict == "held"
    assert judged("bound-holds-for-other-latents", gaussian, uniform).verdict == "did not hold"
    over = table(2.0, [0.01, 0.01, 0.01], "slack", [0.02, 0.021, 0.02])
    assert judged("bound-holds-for-trained-encoders", over).verdict == "did not hold"
    uncentred = table(2.0, [0.02, 0.03, 0.02], "slack_uncentred", [0.05, 0.06, 0.06])
    assert judged("bound-needs-centred-latents", uncentred).verdict == "held"
    inside = table(2.0, [0.02, 0.03, 0.02], "slack_uncentred", [0.01, 0.01, 0.01])
    assert judged("bound-needs-centred-latents", inside).verdict == "did not hold"


def test_closed_forms_are_exact() -> None:
    def table(gap: float) -> list[list[dict[str, Any]]]:
        names = ("identity_gap", "rotation_gap")
        return [rows(name, [1e-16, gap], experiment="closed_forms") for name in names]

    assert judged("spectral-identity", *table(2e-16)).verdict == "held"
    assert judged("spectral-identity", *table(1e-3)).verdict == "did not hold"
    assert judged("spectral-identity", table(2e-16)[0]).verdict == "not decided"


def test_the_border_of_rates_sorts_the_cells() -> None:
    def fast(rate: float, values: Sequence[float]) -> list[dict[str, Any]]:
        return rows("r2_fast", values, experiment="rates", mixing="sinusoid", rho_fast=rate)

    lost, kept = fast(0.6, [0.01, 0.0, 0.02]), fast(0.92, [0.99, 0.99, 0.98])
    assert judged("unlike-rates-lose-the-fast-coordinate", lost, kept).verdict == "held"
    assert judged("alike-rates-keep-the-fast-coordinate", lost, kept).verdict == "held"
    assert judged("alike-rates-keep-the-fast-coordinate", fast(0.92, [0.01, 0.0, 0.02])).verdict == "did not hold"


def test_half_sigreg_is_compared_by_seed_at_each_rate() -> None:
    def grid(weight: float, values: Sequence[float]) -> list[dict[str, Any]]:
        return rows("r2", values, experiment="grid", weight=weight, rho=0.95)

    good, less = grid(1e-3, [0.96, 0.9, 0.98]), grid(0.5, [0.86, 0.8, 0.88])
    assert judged("too-much-sigreg-recovers-less", good, less).verdict == "held"
    assert judged("too-much-sigreg-recovers-less", good).verdict == "not decided"
    assert judged("too-much-sigreg-recovers-less", grid(1e-3, [0.5, 0.51, 0.5]), less).verdict == "did not hold"


def test_the_best_weight_counts_for_reacher() -> None:
    def reacher(weight: float, values: Sequence[float]) -> list[dict[str, Any]]:
        return rows("r2", values, experiment="reacher", rho=0.99, weight=weight)

    assert judged(
        "reacher-is-recovered", reacher(1e-3, [0.1, 0.2, 0.1]), reacher(5e-3, [0.95, 0.94, 0.95])
    ).verdict == ("held")
