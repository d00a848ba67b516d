"""Planning: how often goals are reached, how far from them episodes end, and the paths taken, over the scene."""

import io
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib import patheffects
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from pipelines.reports.html.style import BLUE, GREEN, GREY, INK, MUTED, ORANGE, canvas, svg
from pipelines.reports.summary import REFERENCE_PLANNERS, digits, goal_words

COLOURS = {"random": GREY, "oracle": GREEN}
GHOST = 0.4
"""How strongly the goal's frame shines through the start's."""
CASING = [patheffects.Stroke(linewidth=4.2, foreground="#ffffff"), patheffects.Normal()]
"""A white edge that keeps a line readable on any scene."""


def planner_bars(rows: pd.DataFrame, title: str, percent: bool) -> Markup:
    """Returns horizontal bars with 95 % intervals, a panel for each split and kind of goal, a bar a planner.

    Args:
        rows: `metrics` rows of one metric and model.
        title: what the bars measure, with its unit.
        percent: whether values are rates to be shown in per cent.
    """
    goals = sorted(rows.goal.dropna().unique(), key=lambda goal: (goal != "uniform", goal))
    planners = _ordered(list(rows.planner.dropna().unique()))
    splits = sorted(rows.split.unique())
    panels = [(split, goal) for split in splits for goal in goals]
    size = (5.2 * len(goals), (0.9 + 0.42 * len(planners)) * len(splits))
    with canvas(len(splits), len(goals), size, sharex=True) as (figure, axes):
        for ax, (split, goal) in zip(axes, panels, strict=True):
            for position, planner in enumerate(planners):
                own = rows[(rows.split == split) & (rows.goal == goal) & (rows.planner == planner)]
                if len(own):
                    _bar(ax, position, planner, own, percent)
            ax.set_title(f"{goal_words(goal)} goals" + f" · {split} episodes" * (len(splits) > 1))
            _bar_axes(ax, planners, percent)
            ax.set_xlabel(title if split == splits[-1] else "")
        return svg(figure, f"{title} by planner and kind of goal")


def _bar_axes(ax: Axes, planners: list[str], percent: bool) -> None:
    ax.set_yticks(range(len(planners)), planners)
    ax.tick_params(axis="y", labelcolor=INK, length=0)
    ax.set_ylim(len(planners) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.12)
    if percent:
        ax.set_xlim(0, 118)
        ax.set_xticks([0, 25, 50, 75, 100])


def _ordered(planners: list[str]) -> list[str]:
    """Returns the random policy first, the model's planners next and the oracle last."""
    return sorted(planners, key=lambda name: ({"random": 0, "oracle": 2}.get(name, 1), name))


def _bar(ax: Axes, position: int, planner: str, rows: pd.DataFrame, percent: bool) -> None:
    scale = 100 if percent else 1
    value, low, high = (scale * float(rows[name].mean()) for name in ("value", "ci_low", "ci_high"))
    ax.barh(position, value, height=0.62, color=COLOURS.get(planner, BLUE))
    end = value
    if np.isfinite([low, high]).all():
        ax.plot([low, high], [position, position], color=INK, linewidth=1.2, solid_capstyle="butt")
        end = max(value, high)
    text = f"{value:.0f} %" if percent else digits(value)
    ax.annotate(text, (end, position), (5, 0), textcoords="offset points", va="center", color=INK, fontsize=9)


def path_scenes(episodes: pd.DataFrame, description: str) -> Markup:
    """Returns small scenes side by side, one for each row of the `episodes` table, with executed and planned path."""
    columns = min(4, len(episodes))
    rows = -(-len(episodes) // columns)
    with canvas(rows, columns, (2.6 * columns, 2.95 * rows)) as (figure, axes):
        for ax, (_, episode) in zip(axes, episodes.iterrows(), strict=False):
            _scene(ax, episode)
        for ax in axes[len(episodes) :]:
            ax.set_visible(False)
        return svg(figure, description)


def choose_episodes(episodes: pd.DataFrame, success: bool, count: int) -> pd.DataFrame:
    """Returns some successes or failures of the model's own planners, taking turns among the kinds of goal."""
    own = episodes[~episodes.planner.isin(REFERENCE_PLANNERS) & (episodes.success == success) & episodes.path.notna()]
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
