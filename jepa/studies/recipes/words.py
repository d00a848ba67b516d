"""Findings of a sweep in words: a recipe's figures, and its difference from the reference."""

from jepa.evaluation.statistics import Estimate
from jepa.studies.recipes.choice import SCORE, TEST_SCORE, Candidate, Sweep

PARTS = (("goals", "validation_goals"), ("R²", "validation_read"))
"""The halves of the score, and the metrics that they stand under."""


def signed(one: Estimate) -> str:
    """Returns a difference with its interval, where it has one."""
    ends = "" if one.n < 2 else f" [{one.low:+.3f}, {one.high:+.3f}]"
    return f"{one.value:+.3f}{ends}"


def effect(one: Candidate, reference: Candidate) -> str:
    """Returns how a recipe's score on validation episodes, and both halves of it, differ from the reference's."""
    difference = one.over(reference, SCORE)
    if difference is None:
        return ""
    halves = [(name, one.over(reference, metric)) for name, metric in PARTS]
    parts = ", ".join(f"{name} {found.value:+.3f}" for name, found in halves if found is not None)
    return f"{one.name} {signed(difference)}" + (f" ({parts})" if parts else "")


def winner(sweep: Sweep, one: Candidate, reference: Candidate) -> str:
    """Returns which recipe scores highest on validation episodes, and by what margin."""
    difference, own, usual = one.over(reference, SCORE), one.mean(SCORE), reference.mean(SCORE)
    if difference is None or own is None or usual is None:
        return ""
    won = "none" if sweep.chosen is None else sweep.chosen.name
    changes = ", ".join(f"{name} {value}" for name, value in one.changes(reference).items())
    return (
        f"of {len(sweep.eligible)} recipes {won} won; {one.name} ({changes}), the best but the reference, scores "
        f"{own:.3f} and the reference {usual:.3f}, {signed(difference)} paired over {difference.n} seeds"
    )


def figures_on_test(one: Candidate) -> str:
    """Returns a recipe's figures on test episodes: score, goals reached by planner and kind of goal, linear R²."""
    parts = [f"score {score:.3f}"] if (score := one.mean(TEST_SCORE)) is not None else []
    for metric in ("test_goals_reached", "test_goals_reached_by_references"):
        for quantity in one.rows.where(metric=metric).distinct("quantity"):
            planner, _, goal = quantity.partition(", ")
            rate = one.mean(metric, quantity=quantity)
            if planner != "oracle" and rate is not None:
                parts.append(f"{planner} {rate:.0%} of {goal}")
    read = one.rows.where(metric="test_linear_r2")
    for quantity in read.distinct("quantity"):
        r2 = one.mean("test_linear_r2", quantity=quantity)
        if quantity != "all" and r2 is not None:
            parts.append(f"R² {quantity} {r2:.3f}")
    return f"{one.name} on test: {', '.join(parts)}"
