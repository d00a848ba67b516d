"""The figures of one planner on one group of problems: success, distance, regret and length, with intervals.

Shapes: S random streams of the planner, P problems, R resamples of the problems. Streams of one problem are averaged
before anything else, so that every interval is over problems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import Row, metric_row
from jepa.evaluation.kinds.planning.config import REFERENCES
from jepa.evaluation.statistics import Estimate, bootstrap_mean, bootstrap_weights, percentile_interval, wilson

Floats = NDArray[np.float64]
DEMONSTRATION = "demonstration"
"""Label of the planner that repeats what was recorded."""


@dataclass(frozen=True)
class Outcomes:
    """What one planner achieved; arrays (P,) are means over its streams."""

    success_P: Floats
    distance_P: Floats
    seconds_P: Floats
    """of a decision"""
    steps_SP: Floats
    """environment steps to the goal, NaN where it was not reached"""

    @classmethod
    def of(cls, streams: Sequence[Sequence[Row]]) -> "Outcomes":
        """Returns the outcomes that rows of the table `episodes` tell, of one planner by random stream and problem."""

        def column(name: str) -> Floats:
            values = [[row[name] for row in rows] for rows in streams]
            return np.array([[np.nan if value is None else value for value in own] for own in values], dtype=np.float64)

        steps_SP = column("steps_to_goal")
        return cls(
            success_P=np.isfinite(steps_SP).mean(0),
            distance_P=column("final_distance").mean(0),
            seconds_P=column("plan_seconds").mean(0),
            steps_SP=steps_SP,
        )

    @property
    def streams(self) -> int:
        """Returns S."""
        return len(self.steps_SP)

    @property
    def shortest_P(self) -> Floats:
        """Returns the fewest steps of any stream, infinity where no stream reached the goal."""
        return np.asarray(np.where(np.isnan(self.steps_SP), np.inf, self.steps_SP).min(0), dtype=np.float64)


def planner_metrics(
    label: str, outcomes: Mapping[str, Outcomes], known_P: Floats, distance_unit: str, labels: Mapping[str, Any]
) -> list[Row]:
    """Returns the figures of one planner on a group of problems.

    - `success_rate`, `final_distance`, `plan_seconds`: means over problems.
    - `success_given_oracle`: the success rate on the problems that the oracle solves in some stream, of all others;
      left out where it solves none.
    - `regret` in `success` is the oracle's less the planner's success rate, in `final_distance` the planner's less the
      oracle's distance: both are 0 for the oracle itself, and positive where the planner does worse.
      `regret_to_demonstration` is the same against what was recorded, where a planner `demonstration` is there.
    - `normalised_regret`, (J - J_oracle) / (J_random - J_oracle) with J the mean failure or distance: 0 for the oracle,
      1 for chance, not clipped; left out where oracle and chance do equally well.
    - `spl`, success x shortest / max(taken, shortest) steps; the shortest known is that of recording, shortest way or
      oracle, and where there is none of these that of the fastest planner.
    - `steps_to_goal`: of the problems whose goal was reached.

    Args:
        label: the planner.
        outcomes: of all planners on the same problems, oracle and random among them.
        known_P: environment steps in which each goal is known to be reached, infinity where nobody knows.
        distance_unit: unit of the distances.
        labels: the rows' own columns, with `seed`.
    """
    seed, labels = derive_seed(labels["seed"], "planning intervals"), {**labels, "planner": label}
    own, oracle = outcomes[label], outcomes["oracle"]

    def row(estimate: Estimate, metric: str, unit: str = "1", **columns: Any) -> Row:
        return metric_row(estimate, metric=metric, unit=unit, **labels, **columns)

    rows = [
        row(_rate(own, seed), "success_rate"),
        row(bootstrap_mean(own.distance_P, seed), "final_distance", distance_unit),
        *_regret(own, oracle, "regret", distance_unit, seed, row),
        row(bootstrap_mean(own.seconds_P, seed), "plan_seconds", "s"),
        row(bootstrap_mean(_path_length_P(own, _shortest_P(outcomes, known_P)), seed), "spl"),
    ]
    reached_P = np.isfinite(oracle.shortest_P)
    if label != "oracle" and reached_P.any():
        rows.append(row(_rate(own, seed, reached_P), "success_given_oracle"))
    steps_P = _mean_steps(own.steps_SP)
    if len(steps_P):
        rows.append(row(bootstrap_mean(steps_P, seed), "steps_to_goal", "steps"))
    if DEMONSTRATION in outcomes:
        rows += _regret(own, outcomes[DEMONSTRATION], "regret_to_demonstration", distance_unit, seed, row)
    if label not in REFERENCES:
        chance = outcomes["random"]
        failures = [1 - one.success_P for one in (own, oracle, chance)]
        distances = [one.distance_P for one in (own, oracle, chance)]
        for quantity, values in (("success", failures), ("final_distance", distances)):
            estimate = normalised(values[0], values[1], values[2], seed)
            rows += [] if estimate is None else [row(estimate, "normalised_regret", quantity=quantity)]
    return rows


def normalised(own_P: Floats, oracle_P: Floats, chance_P: Floats, seed: int) -> Estimate | None:
    """Returns (J - J_oracle) / (J_random - J_oracle) of mean costs J; None where the two ends are the same."""
    span_P, lost_P = chance_P - oracle_P, own_P - oracle_P
    if abs(span_P.mean()) < 1e-12:
        return None
    weights_RP = bootstrap_weights(len(own_P), seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        resampled_R = (weights_RP @ lost_P) / (weights_RP @ span_P)
    return percentile_interval(float(lost_P.mean() / span_P.mean()), resampled_R, len(own_P))


def _rate(own: Outcomes, seed: int, counted_P: NDArray[np.bool_] | None = None) -> Estimate:
    success_P = own.success_P if counted_P is None else own.success_P[counted_P]
    if own.streams == 1:
        return wilson(int(success_P.sum()), len(success_P))
    return bootstrap_mean(success_P, seed)


def _regret(own: Outcomes, best: Outcomes, metric: str, distance_unit: str, seed: int, row: Any) -> list[Row]:
    lost = {
        "success": (best.success_P - own.success_P, "1"),
        "final_distance": (own.distance_P - best.distance_P, distance_unit),
    }
    return [
        row(bootstrap_mean(values_P, seed), metric, unit, quantity=quantity)
        for quantity, (values_P, unit) in lost.items()
    ]


def _shortest_P(outcomes: Mapping[str, Outcomes], known_P: Floats) -> Floats:
    """Returns the fewest steps to each goal that are known, (P,); infinity where no planner reached it either."""
    shortest_P = np.minimum(outcomes["oracle"].shortest_P, known_P)
    fastest_P = np.min([one.shortest_P for one in outcomes.values()], axis=0)
    return np.asarray(np.where(np.isinf(shortest_P), fastest_P, shortest_P), dtype=np.float64)


def _path_length_P(own: Outcomes, shortest_P: Floats) -> Floats:
    """Returns success weighted by path length, (P,)."""
    taken_SP = np.where(np.isnan(own.steps_SP), np.inf, own.steps_SP)
    longest_SP = np.maximum(taken_SP, shortest_P)
    # A goal that nobody reached weighs nothing, however short the way may be.
    shortest_P = np.where(np.isinf(shortest_P), 0.0, shortest_P)
    # A start that meets its goal is reached in no steps, as fast as can be.
    weighted_SP = np.where(longest_SP == 0, 1.0, shortest_P / np.maximum(longest_SP, 1))
    return np.asarray(weighted_SP.mean(0), dtype=np.float64)


def _mean_steps(steps_SP: Floats) -> Floats:
    """Returns the mean steps of each problem that some stream solved."""
    solved_SP = np.isfinite(steps_SP)
    counts_P = solved_SP.sum(0)
    sums_P = np.where(solved_SP, steps_SP, 0).sum(0)
    return np.asarray(sums_P[counts_P > 0] / counts_P[counts_P > 0], dtype=np.float64)
