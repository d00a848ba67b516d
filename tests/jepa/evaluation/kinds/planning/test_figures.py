"""The figures of planners: regret between oracle and chance, weighted lengths, streams averaged before intervals."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.planning.figures import Outcomes, normalised, planner_metrics
from tests.jepa.evaluation.standins import figures

LABELS: dict[str, Any] = {"evaluation": "planning", "protocol": "p-v1", "split": "test", "seed": 0, "seconds": 1.0}


def execution(steps: int | None, distance: float) -> Row:
    return {"steps_to_goal": steps, "final_distance": distance, "plan_seconds": 0.2}


def outcomes(steps: list[int | None], distance: list[float]) -> Outcomes:
    return Outcomes.of([[execution(*one) for one in zip(steps, distance, strict=True)]])


ALL = {
    "oracle": outcomes([10, 20, 40, None], [0.0, 0.0, 0.0, 0.2]),
    "cem": outcomes([20, 20, None, None], [0.1, 0.0, 0.3, 0.4]),
    "random": outcomes([None, None, None, None], [0.5, 0.5, 0.6, 0.8]),
    "demonstration": outcomes([25, 25, 25, 25], [0.0, 0.0, 0.0, 0.0]),
}


def rows(label: str, changed: Outcomes | None = None) -> dict[tuple[Any, ...], Any]:
    held = ALL if changed is None else {**ALL, label: changed}
    return figures(planner_metrics(label, held, np.full(4, 25.0), "m", LABELS), "quantity")


def test_regret_against_oracle_and_demonstration_and_between_oracle_and_chance() -> None:
    cem = rows("cem")
    assert (cem["success", "regret"], cem["success", "regret_to_demonstration"]) == (0.25, 0.5)
    assert cem["final_distance", "regret"] == pytest.approx(0.15)
    assert cem["final_distance", "regret_to_demonstration"] == pytest.approx(0.2)
    assert cem["success", "normalised_regret"] == pytest.approx(0.25 / 0.75)
    assert cem["final_distance", "normalised_regret"] == pytest.approx((0.2 - 0.05) / (0.6 - 0.05))
    worse = rows("cem", outcomes([None] * 4, [0.9, 0.9, 0.9, 0.9]))
    assert worse["final_distance", "normalised_regret"] == pytest.approx(0.85 / 0.55), (
        "worse than chance is not clipped"
    )
    assert rows("oracle")["success", "regret"] == 0 and ("success", "normalised_regret") not in rows("oracle")


def test_lengths_count_where_the_goal_was_reached() -> None:
    # The shortest known ways are 10, 20, 25 and 25 steps.
    assert rows("cem")[None, "spl"] == pytest.approx((10 / 20 + 20 / 20) / 4)
    assert rows("oracle")[None, "spl"] == pytest.approx((1 + 1 + 25 / 40) / 4)
    assert rows("cem")[None, "steps_to_goal"] == 20 and (None, "steps_to_goal") not in rows("random")
    at_once = {label: outcomes([0] * 4, [0.0] * 4) for label in ALL}
    spl = figures(planner_metrics("cem", at_once, np.full(4, 25.0), "m", LABELS), "quantity")[None, "spl"]
    assert spl == 1, "a start that meets its goal takes no steps, as few as can be"


def test_success_is_told_apart_on_the_problems_that_the_oracle_solves() -> None:
    cem = planner_metrics("cem", ALL, np.full(4, 25.0), "m", LABELS)
    (given,) = (row for row in cem if row["metric"] == "success_given_oracle")
    assert (given["value"], given["n"]) == (pytest.approx(2 / 3), 3) and given["ci_low"] < 2 / 3 < given["ci_high"]
    assert (None, "success_given_oracle") not in rows("oracle")
    lost = figures(planner_metrics("cem", {**ALL, "oracle": ALL["random"]}, np.full(4, 25.0), "m", LABELS), "quantity")
    assert (None, "success_given_oracle") not in lost, "it has nothing to be a share of"


def test_weighted_lengths_where_no_recording_shows_a_way() -> None:
    unknown, far = np.full(4, np.inf), np.array([5.0, 30.0, np.inf, np.inf])
    held = {name: ALL[name] for name in ("oracle", "cem", "random")}
    held["random"] = outcomes([None, None, None, 60], [0.5, 0.5, 0.6, 0.0])

    def spl(label: str, known: Any) -> float:
        return float(figures(planner_metrics(label, held, known, "m", LABELS), "quantity")[None, "spl"])

    assert spl("cem", unknown) == pytest.approx((10 / 20 + 1) / 4), "the oracle's ways count"
    assert spl("random", unknown) == pytest.approx(1 / 4), "where it has none, the fastest planner's"
    assert spl("cem", far) == pytest.approx((5 / 20 + 1) / 4)
    nobody = {name: outcomes([None] * 4, [1.0] * 4) for name in held}
    assert figures(planner_metrics("cem", nobody, unknown, "m", LABELS), "quantity")[None, "spl"] == 0


def test_streams_are_averaged_and_intervals_are_over_problems() -> None:
    one, other = [execution(20, 0.1), execution(None, 0.3)], [execution(None, 0.3), execution(None, 0.5)]
    twice = Outcomes.of([one, other])
    assert twice.success_P.tolist() == [0.5, 0.0] and twice.distance_P.tolist() == pytest.approx([0.2, 0.4])
    assert twice.seconds_P.tolist() == pytest.approx([0.2, 0.2])
    held = {label: replace(Outcomes.of([one]), success_P=np.ones(2)) for label in ("oracle", "random")}
    (rate, *_) = planner_metrics("cem", held | {"cem": twice}, np.full(2, 25.0), "m", LABELS)
    assert rate["metric"] == "success_rate"
    assert (rate["value"], rate["n"]) == (0.25, 2)


def test_the_interval_of_normalised_regret_is_that_of_the_paired_ratio() -> None:
    rng = np.random.default_rng(0)
    oracle, chance = rng.uniform(0, 1, 200), rng.uniform(2, 3, 200)
    half = normalised((oracle + chance) / 2, oracle, chance, seed=1)
    assert half is not None
    assert (half.value, half.low, half.high) == pytest.approx((0.5, 0.5, 0.5)), "every problem loses half: no spread"
    noisy = normalised(oracle + rng.uniform(0, 2, 200), oracle, chance, seed=1)
    assert noisy is not None and noisy.low < noisy.value < noisy.high and noisy.high - noisy.low < 0.2
    assert normalised(oracle, oracle, oracle, seed=1) is None
