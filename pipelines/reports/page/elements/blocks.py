"""What the page is composed of: sections of blocks."""

import re
from dataclasses import dataclass

from markupsafe import Markup

HALF = 484
"""Pixels of a chart beside which another one fits."""


@dataclass(frozen=True)
class Block:
    """A chart, strip or card with a line that tells how to read it."""

    content: Markup
    heading: str = ""
    reading: str | None = None
    """None for what the chart says of itself"""

    @property
    def narrow(self) -> bool:
        """Returns whether it is one chart that needs half of the page only, so that another one fits beside it."""
        widths = [int(width) for width in re.findall(r"--width:(\d+)px", self.content)]
        return len(widths) == 1 and widths[0] <= HALF and not re.search("<table|<img", self.content)


@dataclass(frozen=True)
class PageSection:
    """A part of the page; without blocks it says what is `missing`, or is left out where that is empty."""

    anchor: str
    title: str
    missing: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Amounts:
    """How much of everything is shown."""

    episodes: int
    frames: int
    paths: int
    points: int
