"""The claims of "Why and How Auxiliary Tasks Improve JEPA Representations", read off the table of cells."""

from typing import Any

from jepa.evaluation.statistics import Estimate
from jepa.studies.auxiliary.measures import PAIRS
from jepa.studies.claims import CellRows, Claim, Finding, side_of, undecided

PIXELS = {"experiment": "arms", "observation": "pixels", "transition": "linear"}
ALL_APART = 0.9
"""Share of held-out draws that must be nearest to their own count's centroid."""
COLLAPSED = 0.1
"""Spread after training, in units of that before, under which nothing is left to tell apart."""


def _theorem(rows: CellRows) -> Finding:
    share = rows.over_seeds("separating_share", experiment="theorem")
    tables = rows.over_seeds("lossless", experiment="theorem")
    found = "" if share is None or tables is None else f"{share.value:.3f} of {tables.value:.0f} tables a seed"
    return side_of(1 - 1e-9, [share], found)


def _transition_collapses(rows: CellRows) -> Finding:
    # Latents of pictures begin with next to no spread: what a collapse takes away is seen on vectors.
    arm = PIXELS | {"arm": "transition", "observation": "vector"}
    spread, alarm = rows.over_seeds("spread_over_initial", **arm), rows.by_seed("alarm", **arm)
    if spread is None:
        return undecided()
    found = (
        f"spread {spread.value:.2g} of that before; the collapse alarm names {sum(alarm.values()):.0f} of {len(alarm)}"
    )
    return side_of(COLLAPSED, [spread], found, above=False)


def _joint_separates(rows: CellRows) -> Finding:
    return _accuracy(rows, "joint", ALL_APART)


def _random_separates(rows: CellRows) -> Finding:
    return _accuracy(rows, "random", ALL_APART)


def _random_separates_vectors(rows: CellRows) -> Finding:
    return _accuracy(rows, "random", ALL_APART, "vector")


def _head_probes(rows: CellRows) -> Finding:
    return _with_head(rows, "probe_r2", "agent_position", "R² of the agent's position")


def _head_forgets(rows: CellRows) -> Finding:
    return _with_head(rows, "probe_r2", "distractor", "R² of the distractor", above=False)


def _head_plans(rows: CellRows) -> Finding:
    return _with_head(rows, "regret", "cross_room", "regret across rooms", above=False)


def _with_head(rows: CellRows, metric: str, quantity: str, name: str, *, above: bool = True) -> Finding:
    shared = {"experiment": "world_model", "quantity": quantity}
    one, other = {**shared, "head": True}, {**shared, "head": False}
    difference = rows.difference(metric, one, other)
    first, second = rows.over_seeds(metric, **one), rows.over_seeds(metric, **other)
    if difference is None or first is None or second is None:
        return undecided()
    words = f"{name} {first.value:.3f} with the head, {second.value:.3f} without"
    return side_of(0.0, [difference], words, above=above)


def _accuracy(rows: CellRows, arm: str, border: float, observation: str = "pixels") -> Finding:
    where = PIXELS | {"arm": arm, "observation": observation}
    accuracy, collisions = rows.over_seeds("accuracy", **where), rows.over_seeds("collisions", **where)
    if accuracy is None or collisions is None:
        return undecided()
    return side_of(border, [accuracy], f"accuracy {_words(accuracy)}, {collisions.value:.1f} of {PAIRS} pairs collide")


def _random_keeps_nuisances(rows: CellRows) -> Finding:
    return _compared(rows, "nuisance_r2", {"arm": "random"}, {"arm": "joint"}, "R² of the nuisances")


def _joint_beats_reward(rows: CellRows) -> Finding:
    return _compared(rows, "accuracy", {"arm": "joint"}, {"arm": "reward"}, "accuracy")


def _linear_keeps_a_margin(rows: CellRows) -> Finding:
    arm = {"experiment": "arms", "observation": "vector", "arm": "joint"}
    return _compared(rows, "accuracy", {"transition": "linear"}, {"transition": "mlp"}, "accuracy", arm)


def _compared(
    rows: CellRows,
    metric: str,
    one: dict[str, Any],
    other: dict[str, Any],
    name: str,
    shared: dict[str, Any] = PIXELS,
) -> Finding:
    one, other = {**shared, **one}, {**shared, **other}
    difference = rows.difference(metric, one, other)
    first, second = rows.over_seeds(metric, **one), rows.over_seeds(metric, **other)
    if difference is None or first is None or second is None:
        return undecided()
    return side_of(0.0, [difference], f"{name} {first.value:.3f} against {second.value:.3f}")


def _words(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} over {estimate.n} seeds"


NO_TABLE = "shown in pictures, without a number"
CLAIMS = (
    Claim(
        "theorem",
        "Theorem 1",
        "Codes from which transition and auxiliary quantity follow without loss tell all non-equivalent states apart.",
        "a theorem",
        _theorem,
    ),
    Claim(
        "transition-only-collapses",
        "experiments, transition loss alone",
        "Without an auxiliary quantity the latents collapse.",
        NO_TABLE,
        _transition_collapses,
    ),
    Claim(
        "joint-separates",
        "experiments, joint training",
        "With the reward as auxiliary quantity all nine counts have places of their own.",
        "nine clusters",
        _joint_separates,
    ),
    Claim(
        "reward-alone-is-coarser",
        "experiments, reward loss alone",
        "The reward without a transition loss tells fewer counts apart than both together.",
        "three coarse groups",
        _joint_beats_reward,
    ),
    Claim(
        "random-separates",
        "experiments, random auxiliary",
        "A random projection as auxiliary quantity tells all nine counts apart too.",
        NO_TABLE,
        _random_separates,
    ),
    Claim(
        "random-separates-vectors",
        "experiments, random auxiliary",
        "So it does where the nuisances are few: the counting world as vectors.",
        "none: the paper has pictures alone",
        _random_separates_vectors,
    ),
    Claim(
        "random-keeps-nuisances",
        "experiments, random auxiliary",
        "With a random projection the latents keep nuisances that joint training forgets.",
        "position and part of shape and colour are decoded",
        _random_keeps_nuisances,
    ),
    Claim(
        "linear-keeps-a-margin",
        "ours, on Theorem 1",
        "The theorem gives no margin: a linear transition keeps the counts further apart than a perceptron does.",
        "none",
        _linear_keeps_a_margin,
    ),
    Claim(
        "head-helps-probes",
        "ours, the claims in a world model",
        "Beside LeWM's own loss the head makes the agent's position easier to read.",
        "none: the paper has no world model with pixels of two rooms",
        _head_probes,
    ),
    Claim(
        "head-forgets-the-distractor",
        "ours, the claims in a world model",
        "With the head less of the distractor, on which nothing depends, is left in the latents.",
        "none",
        _head_forgets,
    ),
    Claim(
        "head-helps-planning",
        "ours, the claims in a world model",
        "With the head plans across rooms have less regret.",
        "none",
        _head_plans,
    ),
)
