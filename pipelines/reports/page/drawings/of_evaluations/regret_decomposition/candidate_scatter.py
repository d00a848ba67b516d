"""Regret decomposition: what a menu's candidates cost in imagination and in truth, problem by problem."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planning.planners import each
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, GREY, INK, canvas, hint, svg
from pipelines.reports.selection import grouped
from pipelines.reports.words import digits, goal_words, plain

MOST = 4
"""Costs that are drawn."""
COSTS = ("real_latent_cost", "imagined_latent_cost")


@DRAWINGS.register("candidate_scatter")
class CandidateScatter(Drawing):
    """Cost against true cost, real and imagined, a column for each of some problems, a row for each cost.

    Planners that rank a menu by the same cost share a row; the plan of each has a ring.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows = subject.measured("true_cost", *COSTS).rows
        if rows.empty:
            return
        shown = _of_some_problems(rows, subject.amounts.paths)
        costs = _by_cost(shown)
        note = f" · {MOST} of {len(costs)} costs" if len(costs) > MOST else ""
        made = _chart(costs[:MOST], f"{subject.heading}: costs of candidates against the truth")
        yield Block(made, f"{subject.heading}{note}")


def _of_some_problems(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Returns the candidates of some problems, taking turns among the kinds of goal."""
    problems = rows[["goal", "problem"]].drop_duplicates().sort_values(["problem", "goal"]).head(count)
    return rows.merge(problems, on=["goal", "problem"])


def _by_cost(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns the rows of planners with one and the same cost together."""
    found: dict[tuple[float, ...], list[pd.DataFrame]] = {}
    for _, own in grouped(rows, ["planner"]):
        ordered = own.sort_values(["goal", "problem", "candidate"])
        found.setdefault(tuple(ordered[list(COSTS)].to_numpy(dtype=float).round(6).flat), []).append(own)
    return [pd.concat(alike) for alike in found.values()]


def _chart(costs: list[pd.DataFrame], description: str) -> Markup:
    across = max(own[["goal", "problem"]].drop_duplicates().shape[0] for own in costs)
    with canvas(len(costs), across, (2.65 * across + 0.4, 2.75 * len(costs)), sharey="row") as (figure, axes):
        for row, own in enumerate(costs):
            names = ", ".join(plain(name) for name in own.planner.unique())
            panels = list(grouped(own, ["problem", "goal"]))
            for place, (values, candidates) in enumerate(panels):
                ax = axes[row * across + place]
                _draw(ax, candidates)
                title = f"{goal_words(str(values['goal']))} · problem {values['problem']}"
                ax.set_title(f"{title}\n{plain(names)}" if place == 0 else f"{title}\n", fontsize=9)
                ax.set_ylabel("cost in latents" if place == 0 else "")
                ax.set_xlabel(f"true cost, {candidates.unit.iloc[0]}" if row == len(costs) - 1 else "")
            for ax in axes[row * across + len(panels) : (row + 1) * across]:
                ax.set_visible(False)
        return svg(figure, description)


def _draw(ax: Axes, rows: pd.DataFrame) -> None:
    menu = rows.drop_duplicates("candidate")
    # The larger dots lie below: where both are in one place, both are seen.
    for column, colour, size in zip(COSTS, (GREY, BLUE), (5.0, 2.6), strict=True):
        ax.plot(menu.true_cost, menu[column], "o", color=colour, markersize=size, alpha=0.7, markeredgewidth=0)
    chosen: Iterator[Any] = each(rows[rows.chosen])
    for row in chosen:
        place = np.asarray([row.true_cost]), np.asarray([row.imagined_latent_cost])
        (ring,) = ax.plot(*place, "o", color=INK, markersize=8, markerfacecolor="none", markeredgewidth=1.2)
        words = f"true cost {digits(row.true_cost)}, imagined {digits(row.imagined_latent_cost)}"
        hint(ring, f"plan of {row.planner}: {words}")
