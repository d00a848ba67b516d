"""Planning: films of what was done on a few problems, beside their goals."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planning.path_scenes import points
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.films import film_element, frame_of, with_path
from pipelines.reports.page.elements.strips import data_uri
from pipelines.reports.selection import grouped
from pipelines.reports.words import goal_words, plain

PROBLEM = ("planner", "goal", "offset", "problem")
FILM = Markup(
    '<figure class="film-of {}">{}<img class="film" alt="the goal" src="{}"><figcaption>{}</figcaption></figure>'
)


@DRAWINGS.register("films")
class Films(Drawing):
    """A film of some problems of the table `films` that were reached, then of as many that were missed."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        films = [film for success in (True, False) for film in _films(subject, success)]
        if films:
            content = Markup('<div class="films">{}</div>').format(Markup("").join(films))
            yield Block(content, subject.heading)


def _films(subject: Subject, success: bool) -> list[Markup]:
    """Returns films of some problems, taking turns among the kinds of goal."""
    found = list(grouped(subject.rows[subject.rows.success == success], PROBLEM))
    turns: dict[object, int] = {}
    ordered = []
    for values, rows in found:
        turn = turns[values.get("goal")] = turns.get(values.get("goal"), -1) + 1
        ordered.append((turn, rows))
    ordered.sort(key=lambda pair: pair[0])
    made = (_film(rows) for _, rows in ordered[: subject.amounts.paths])
    return [film for film in made if film is not None]


def _film(rows: pd.DataFrame) -> Markup | None:
    """Returns the film of one problem, None where its frames are no pictures."""
    scenes, goals = (rows[rows.source == source].sort_values("step") for source in ("scene", "goal"))
    frames = [frame for png in scenes.frame.dropna() if (frame := frame_of(bytes(png))) is not None]
    goal = bytes(goals.frame.iloc[0]) if len(goals) and not pd.isna(goals.frame.iloc[0]) else b""
    if not frames or frame_of(goal) is None:
        return None
    first = scenes.iloc[0]
    path, extent = (_listed(first[name]) for name in ("planned_path", "frame_extent"))
    if path is not None and extent is not None and np.isfinite(points(path)).all():
        frames = [with_path(frame, points(path), extent) for frame in frames]
    outcome = f"{'reached in' if first.success else 'missed after'} {scenes.step.max()} steps"
    words = f"{goal_words(first.goal)} · problem {first.problem} · {plain(first.planner)}, {outcome}"
    kind = "reached" if first.success else "missed"
    return FILM.format(kind, film_element(frames, words), data_uri(goal), words)


def _listed(value: object) -> Sequence[float] | None:
    return list(value) if isinstance(value, list | tuple | np.ndarray) and len(value) else None
