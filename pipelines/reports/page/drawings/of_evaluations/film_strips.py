"""Decoding: what happened, what is drawn of each frame's latent, and what the model imagined, frame below frame."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.strips import film

SOURCES = {"true": "what happened", "encoded": "drawn from each frame's latent", "imagined": "imagined"}


@DRAWINGS.register("film_strips")
class FilmStrips(Drawing):
    """Three strips an episode of the table `pictures`."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        strips = [_film(rows, subject.amounts.frames) for _, rows in subject.rows.groupby("episode")]
        yield Block(Markup("").join(strips), subject.heading)


def _film(pictures: pd.DataFrame, frames: int) -> Markup:
    rows = []
    for source, name in SOURCES.items():
        own = pictures[pictures.source == source].sort_values("step")[:frames]
        rows.append((name, [(f"step {step}", bytes(frame)) for step, frame in zip(own.step, own.frame, strict=True)]))
    return film(rows, f"Episode {pictures.episode.iloc[0]}")
