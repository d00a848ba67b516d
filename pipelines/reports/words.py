"""Figures and identifiers as people read them."""

import math

import numpy as np

LONGEST = 40
"""Characters of a name that fit where it is shown."""
COUNTED = {"frames": ("frame", "frames"), "blocks_ahead": ("block ahead", "blocks ahead")}
"""Columns of whole numbers, and what one and several of them are."""
SPELLED = {"mlp": "MLP"}
"""Identifiers that are written otherwise."""


def digits(value: float) -> str:
    """Returns a figure with three decimals, a large one with fewer, and a dash for none."""
    if math.isnan(value):
        return "–"
    if abs(value) >= 1e9:
        return f"{value:.3g}".replace("-", "−", 1) if value < 0 else f"{value:.3g}"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:.{decimals}f}"
    # What is rounded to nothing has no sign.
    return (text if float(text) else text.removeprefix("-")).replace("-", "−")


def figure_words(value: float, percent: bool = False) -> str:
    """Returns a figure, or a share in whole per cent, as people read it; a dash for none."""
    return f"{100 * value:.0f} %".replace("-", "−") if percent and not math.isnan(value) else digits(value)


def change_words(value: float, percent: bool = False) -> str:
    """Returns how far a figure is from another one, with its sign."""
    return f"+{figure_words(value, percent)}" if value > 0 else figure_words(value, percent)


def seconds_words(seconds: float) -> str:
    """Returns seconds without their unit, with two digits that count, a dash for none: from microseconds to minutes."""
    if math.isnan(seconds):
        return "–"
    short = np.format_float_positional(seconds, precision=2, fractional=False, trim="-")
    return short if abs(seconds) < 10 else digits(seconds)


def duration_words(seconds: float) -> str:
    """Returns a duration with its unit: milliseconds of two or three digits below a second, then tenths of a second."""
    if seconds < 1e-4:
        return "< 0.1 ms"
    if seconds < 1:
        return f"{seconds * 1e3:.{2 if seconds < 0.0995 else 3}g} ms"
    return f"{seconds:.1f} s"


def plain(name: str, longest: int = LONGEST) -> str:
    """Returns an identifier as words, one that is longer than that cut short: it labels an axis or a tile."""
    if name in SPELLED:
        return SPELLED[name]
    return (name if len(name) <= longest else f"{name[: longest - 1]}…").replace("_", " ")


def goal_words(goal: str) -> str:
    """Returns a kind of goal as it is said before the word `goals`."""
    return plain(goal).replace(" ", "-")


def value_words(column: str, value: object) -> str:
    """Returns a column's value as words: a dash where it is missing, a truth value by the column's own name."""
    if value is None:
        return "–"
    if column in COUNTED:
        one, several = COUNTED[column]
        return f"{value:g} {one if value == 1 else several}"
    if column == "offset":
        return f"{value} steps ahead"
    if isinstance(value, bool | np.bool):
        return plain(column) if value else f"no {plain(column)}"
    if isinstance(value, float):
        return f"{value:g}"
    return goal_words(str(value)) if column == "goal" else plain(str(value))
