"""What the page is composed of: sections of blocks."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Block:
    """A chart, strip or card with a line that tells how to read it."""

    content: Markup
    heading: str = ""
    reading: str | None = None
    """None for what the chart says of itself"""


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
