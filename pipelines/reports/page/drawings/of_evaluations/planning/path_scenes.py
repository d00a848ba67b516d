"""Planning: the paths taken and the paths planned, over the scene."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib import patheffects
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, MUTED, ORANGE, canvas, svg
from pipelines.reports.words import digits, goal_words, plain

GHOST = 0.4
"""How strongly the goal's frame shines through the start's."""
CASING = [patheffects.Stroke(linewidth=4.2, foreground="#ffffff"), patheffects.Normal()]
"""A white edge that keeps a line readable on any scene."""


@DRAWINGS.register("path_scenes")
class PathScenes(Drawing):
    """Scenes of some goals that the model's own planners reached, and of some that they missed."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        several = subject.rows.planner.nunique() > 1
        for success, word in ((True, "reached"), (False, "missed")):
            chosen = choose_episodes(subject.rows, success, subject.amounts.paths)
            if len(chosen):
                heading = f"Goals {word}{subject.scope}"
                yield Block(path_scenes(chosen, heading, several), heading)


def path_scenes(episodes: pd.DataFrame, description: str, named: bool = False) -> Markup:
    """Returns small scenes side by side, one for each row of the `episodes` table, with executed and planned path.

    Args:
        episodes: the rows.
        description: of the chart.
        named: whether each says whose path it is.
    """
    columns = min(4, len(episodes))
    rows = -(-len(episodes) // columns)
    with canvas(rows, columns, (2.6 * columns, (3.2 if named else 2.95) * rows)) as (figure, axes):
        for ax, (_, episode) in zip(axes, episodes.iterrows(), strict=False):
            _scene(ax, episode)
            if named:
                ax.set_title(f"{ax.get_title(loc='left')}\n{plain(episode.planner)}", fontsize=9)
        for ax in axes[len(episodes) :]:
            ax.set_visible(False)
        return svg(figure, description)


def choose_episodes(episodes: pd.DataFrame, success: bool, count: int) -> pd.DataFrame:
    """Returns some successes or failures, taking turns among the kinds of goal."""
    own = episodes[(episodes.success == success) & episodes.path.notna()]
    # Those with a frame first: a path says more over its scene.
    own = own.assign(bare=own.start_frame.isna()).sort_values(["bare", "seed", "problem", "planner"])
    turn = own.groupby("goal").cumcount()
    return own.assign(turn=turn).sort_values(["bare", "turn", "goal"], kind="stable").head(count)


def _scene(ax: Axes, episode: Any) -> None:
    path = points(episode.path)
    if _has(episode.start_frame) and _has(episode.frame_extent):
        left, right, bottom, top = (float(edge) for edge in episode.frame_extent)
        frame = _blend(episode.start_frame, episode.goal_frame)
        ax.imshow(frame, extent=(left, right, bottom, top), interpolation="nearest", zorder=0)
        ax.set_xlim(left, right)
        ax.set_ylim(bottom, top)
    else:
        ax.set_aspect("equal", adjustable="datalim")
    if _has(episode.planned_path):
        planned = points(episode.planned_path)
        ax.plot(*planned.T, color=ORANGE, linewidth=2, linestyle=(0, (2, 1.2)), path_effects=CASING, zorder=2)
    ax.plot(*path.T, color=BLUE, linewidth=2, path_effects=CASING, zorder=3)
    ax.plot(*path[0], "o", color=BLUE, markersize=5, markeredgecolor="#ffffff", zorder=4)
    if _has(episode.goal_point):
        goal = np.asarray(list(episode.goal_point), dtype=float)
        ax.plot(*goal[:2], "o", markersize=13, markerfacecolor="none", markeredgecolor="#ffffff", markeredgewidth=3.6)
        ax.plot(*goal[:2], "o", markersize=13, markerfacecolor="none", markeredgecolor="#111213", markeredgewidth=1.6)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_title(f"{goal_words(episode.goal)} · problem {episode.problem}", fontsize=9)
    ax.set_xlabel(f"ends {digits(episode.final_distance)} {episode.unit} away", fontsize=8.5, color=MUTED)


def points(path: Any) -> NDArray[np.float64]:
    """Returns a stored path as an array (N, 2), whatever list type it comes back as."""
    return np.array([[float(x) for x in point[:2]] for point in path])


def _has(value: Any) -> bool:
    return value is not None and value is not pd.NA and not (isinstance(value, float) and np.isnan(value))


def _blend(start: bytes, goal: Any) -> NDArray[np.uint8]:
    frame = np.asarray(Image.open(io.BytesIO(start)).convert("RGB"), dtype=np.float32)
    if _has(goal):
        other = np.asarray(Image.open(io.BytesIO(goal)).convert("RGB"), dtype=np.float32)
        frame = (1 - GHOST) * frame + GHOST * other
    return frame.astype(np.uint8)
