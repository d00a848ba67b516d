"""Numbers as the page shows them, each with the value that it stands for: programs need not read what was rounded."""

import math
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from pipelines.reports.page.elements.filters import json_value


def shown(
    text: str, value: Any, low: Any = None, high: Any = None, rows: Iterable[Any] = (), percent: bool = False
) -> Markup:
    """Returns a number's text as the element `data` that HTML has for it, without one where there is no value.

    Args:
        text: what is read, rounded: the value, or the value with the two ends of its interval after it.
        value: what it stands for, in full precision; of a percentage the share.
        low: the lower end, where the text has it.
        high: the upper end.
        rows: numbers of the rows of the page's JSON `metrics` that it is the mean of.
        percent: whether the text is a hundred times the value, even where it does not say so.
    """
    if json_value(value) is None:
        return Markup("{}").format(text)
    ends = "" if json_value(low) is None or json_value(high) is None else f' data-low="{exact(low)}" '
    ends += f'data-high="{exact(high)}"' if ends else ""
    numbers = " ".join(str(row) for row in rows)
    of = f' data-rows="{numbers}"' if numbers else ""
    scale = ' data-percent="true"' if percent else ""
    # All of it is made of numbers, but for the text.
    return Markup(f'<data value="{exact(value)}"{ends}{of}{scale}>') + Markup("{}</data>").format(text)


def exact(value: Any) -> str:
    """Returns the shortest text that reads as the very same number."""
    number = float(value)
    return str(int(number)) if math.isfinite(number) and number.is_integer() and abs(number) < 2**53 else repr(number)
