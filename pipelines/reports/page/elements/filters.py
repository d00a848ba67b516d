"""Values as the page shows them."""

import math
from typing import Any

import pandas as pd

from pipelines.reports.summary import Headline


def number(value: Any) -> str:
    """Returns a figure with four significant digits, a dash where there is none."""
    if json_value(value) is None:
        return "–"
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e9 else f"{value:.4g}"


def share(value: float, tile: Headline) -> float:
    """Returns where on its track, in per cent, a tile's figure lies."""
    assert tile.track is not None
    low, high = tile.track
    return round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 2)


def cell(value: Any) -> str:
    """Returns one value of a row as text."""
    value = json_value(value)
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def has_interval(row: Any) -> bool:
    """Returns whether a row has both ends of an interval: of one sample there is none."""
    return json_value(row.ci_low) is not None and json_value(row.ci_high) is not None


def json_value(value: Any) -> Any:
    """Returns a value as JSON knows it, None for one that is missing."""
    missing = value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value
