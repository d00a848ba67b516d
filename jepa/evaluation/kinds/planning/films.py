"""Films of planning: what was done on a few problems, frame by frame, rendered again from the states that were passed.

A film is made of the first problems that the first judged planner reached, and of the first that it missed, each time
counted over all problems of a unit: every slice keeps as many as a unit could need, and pooling keeps the first.
Shapes: F frames, N environment steps carried out.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import EpisodeSource, Pixels
from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.planning.report import FILMS, REFERENCES
from jepa.evaluation.png import encode_png
from jepa.planning.execution import Execution, stack_states
from jepa.planning.planner import Problem
from jepa.worlds.world import World, make_world

FILMED = 2
"""Problems of each unit that are filmed of those reached, and as many of those missed."""
FRAMES = 26
"""Frames of a film at most, the first and the last among them."""
WIDEST = 112
"""Pixels of a frame's side; larger ones are averaged down."""


def filmed_planner(labels: Iterable[str]) -> str | None:
    """Returns the label of the planner that is filmed: the first that is no reference; None where there is none."""
    return next((label for label in labels if label not in REFERENCES["planner"]), None)


def film_rows(
    problems: Sequence[Problem],
    runs: Sequence[Execution],
    imagined: Sequence[NDArray[np.float32] | None],
    source: EpisodeSource,
    labels: Mapping[str, object],
) -> list[Row]:
    """Returns rows of the table `films` of some problems, in the order of their numbers.

    Args:
        problems: those of a unit or of a slice of it.
        runs: what one planner achieved on each.
        imagined: where its first plan was expected to lead, points (L + 1, d), None where it expected nothing.
        source: whose world is rendered.
        labels: columns that all rows share.
    """
    # Where the start meets the goal there is nothing to be seen.
    chosen = _first([(place, run.success) for place, run in enumerate(runs) if run.steps_to_goal != 0])
    if not chosen:
        return []
    rows: list[Row] = []
    with closing(make_world(source.world, 1, **source.world_options)) as world:
        extent = world.world_spec.frame_extent
        for place in chosen:
            problem, run, believed = problems[place], runs[place], imagined[place]
            shared: Row = {**labels, "problem": problem.number, "success": run.success}
            scenes = [{**shared, "source": "scene", "step": step, "frame": png} for step, png in _scenes(world, run)]
            scenes[0]["planned_path"] = None if believed is None else believed[:, :2].tolist()
            scenes[0]["frame_extent"] = None if extent is None else list(extent)
            goal = {**shared, "source": "goal", "step": scenes[-1]["step"], "frame": _png(problem.goal_pixels)}
            rows += [*scenes, goal]
    return rows


def pooled_films(rows: Sequence[Row]) -> list[Row]:
    """Returns the rows of a unit's films, of those that all of its slices kept."""
    found = sorted({(row["problem"], row["success"]) for row in rows})
    kept = set(_first(found))
    own = [row for row in rows if row["problem"] in kept]
    every = [column.name for column in FILMS.columns]
    ordered = sorted(own, key=lambda row: (row["problem"], row["source"], row["step"]))
    # What lay in a store in between has all columns; the same rows come of a unit that was done in one piece.
    return [{name: row.get(name) for name in every} for row in ordered]


def _first(outcomes: Sequence[tuple[int, bool]]) -> list[int]:
    """Returns the first of those that succeeded and of those that did not, in their order."""
    chosen = [[one for one, success in outcomes if success == wanted][:FILMED] for wanted in (True, False)]
    return sorted(one for own in chosen for one in own)


def _scenes(world: World, run: Execution) -> list[tuple[int, bytes]]:
    """Returns environment step and PNG of each frame, to where the goal was met or the budget was over."""
    steps = len(next(iter(run.path.values()))) - 1
    end = steps if run.steps_to_goal is None else run.steps_to_goal
    found = []
    for step in np.unique(np.linspace(0, end, min(FRAMES, end + 1)).round().astype(int)):
        world.restore(stack_states([{name: value[step] for name, value in run.path.items()}]))
        found.append((int(step), _png(world.render_pixels()[0])))
    return found


def _png(pixels_HWC: Pixels) -> bytes:
    """Returns a frame as PNG, averaged down to at most `WIDEST` pixels."""
    side = pixels_HWC.shape[0]
    factor = -(-side // WIDEST)
    if factor == 1:
        return encode_png(np.ascontiguousarray(pixels_HWC))
    kept = side // factor
    cut = pixels_HWC[: kept * factor, : kept * factor].reshape(kept, factor, kept, factor, 3)
    return encode_png(cut.mean((1, 3)).round().astype(np.uint8))
