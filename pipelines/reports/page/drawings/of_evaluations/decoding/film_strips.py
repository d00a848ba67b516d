"""Decoding: what happened, what is drawn of each frame's latent, and what the model imagined, frame below frame."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.films import beside, film_element, frame_of
from pipelines.reports.page.elements.strips import film

NARROW = 112
"""Pixels that each of the three pictures of a film is at least wide."""
SLOW = 400
"""Milliseconds of a frame: an action block passes from one to the next."""
SOURCES = {"true": "what happened", "encoded": "drawn from each frame's latent", "imagined": "imagined"}


@DRAWINGS.register("film_strips")
class FilmStrips(Drawing):
    """A film and three strips an episode of the table `pictures`."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        episodes = [rows for _, rows in subject.rows.groupby("episode")]
        films = Markup("").join(_moving(rows) for rows in episodes)
        strips = Markup("").join(_film(rows, subject.amounts.frames) for rows in episodes)
        yield Block(Markup('<div class="films wide">{}</div>{}').format(films, strips), subject.heading)


def _moving(pictures: pd.DataFrame) -> Markup:
    """Returns a film of the three sources side by side, nothing where a frame is no picture or there is one only."""
    held = [pictures[pictures.source == source].sort_values("step") for source in SOURCES]
    columns = [[frame_of(bytes(frame), NARROW) for frame in own.frame.dropna()] for own in held]
    moments = [beside([one for one in moment if one is not None]) for moment in zip(*columns, strict=False)]
    frames = [one for one in moments if one.size == moments[0].size]
    if len(frames) < 2:
        return Markup("")
    words = f"Episode {pictures.episode.iloc[0]}: {', '.join(SOURCES.values())}"
    heads = Markup("").join(Markup("<span>{}</span>").format(name) for name in SOURCES.values())
    return Markup('<figure class="film-of"><p>{}</p>{}<figcaption>{}</figcaption></figure>').format(
        heads, film_element(frames, words, SLOW), f"Episode {pictures.episode.iloc[0]}"
    )


def _film(pictures: pd.DataFrame, frames: int) -> Markup:
    rows = []
    for source, name in SOURCES.items():
        own = pictures[pictures.source == source].sort_values("step")[:frames]
        rows.append((name, [(f"step {step}", bytes(frame)) for step, frame in zip(own.step, own.frame, strict=True)]))
    return film(rows, f"Episode {pictures.episode.iloc[0]}")
