"""Figures and identifiers as people read them."""

import math

import numpy as np

LONGEST = 40
"""Characters of a name that fit where it is shown."""
SPELLED = {"mlp": "MLP"}
"""Identifiers that are written otherwise."""


def digits(value: float) -> str:
    """Returns a figure with three decimals, a large one with fewer, and a dash for none."""
    if math.isnan(value):
        return "–"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:.{decimals}f}".replace("-", "−")


def plain(name: str) -> str:
    """Returns an identifier as words, a very long one cut short: it labels an axis or a tile."""
    if name in SPELLED:
        return SPELLED[name]
    return (name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…").replace("_", " ")


def goal_words(goal: str) -> str:
    """Returns a kind of goal as it is said before the word `goals`."""
    return plain(goal).replace(" ", "-")


def value_words(column: str, value: object) -> str:
    """Returns a column's value as words: a dash where it is missing, a truth value by the column's own name."""
    if value is None:
        return "–"
    if isinstance(value, bool | np.bool):
        return plain(column) if value else f"no {plain(column)}"
    if isinstance(value, float):
        return f"{value:g}"
    return goal_words(str(value)) if column == "goal" else plain(str(value))
