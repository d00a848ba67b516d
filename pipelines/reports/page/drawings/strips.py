"""Strips of frames of any table whose rows hold a PNG."""

from collections.abc import Iterator
from itertools import islice

from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.strips import strip
from pipelines.reports.selection import grouped
from pipelines.reports.words import plain, value_words


@DRAWINGS.register("strips")
class Strips(Drawing):
    """A strip for each value of the column `strip`, its frames in the order of the column `label`.

    Options: `frame`, the PNG, by default `frame`; `label`, by default `step`; `strip`, by default `episode`.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        frame, label = subject.column("frame", "frame"), subject.column("label", "step")
        by = subject.column("strip", "episode")
        kept = subject.rows[subject.rows[frame].notna()].sort_values(label)
        strips = []
        for values, own in islice(grouped(kept, [by]), subject.amounts.episodes):
            rows = own.head(subject.amounts.frames)
            shown = [(f"{plain(label)} {at}", bytes(png)) for at, png in zip(rows[label], rows[frame], strict=True)]
            strips.append(strip(shown, f"{plain(by).capitalize()} {value_words(by, values[by])}"))
        if strips:
            yield Block(Markup("").join(strips), subject.heading)
