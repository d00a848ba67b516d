"""Comparison and leaderboard as pages: one file each, which needs no network and can be read without scripts."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from infra.storage import Store
from jepa.core.config import digest_of
from jepa.evaluation.kinds.planning.report import REFERENCES
from pipelines.reports.comparison import texts
from pipelines.reports.comparison.leaderboard import SETTING, write_leaderboard
from pipelines.reports.comparison.results import Comparison, Difference
from pipelines.reports.page.elements.filters import json_value
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.page.elements.style import BLUE, GREY, INK, ORANGE, canvas, svg
from pipelines.reports.page.elements.templates import environment, page_style
from pipelines.reports.selection import grouped
from pipelines.reports.words import digits, duration_words, goal_words, plain
from pipelines.store.references import SHORT
from pipelines.store.sealed import seal_page

FOLDER = Path(__file__).parent
OWN_STYLE = FOLDER / "style.css"
LEADERBOARD = "reports/leaderboard.html"
COLOURS = {"better": BLUE, "worse": ORANGE, "different": INK, "open": GREY}


@dataclass(frozen=True)
class Chart:
    """The differences of one figure: a drawing and the rows of a table."""

    title: str
    reading: str
    drawing: Markup
    rows: tuple[Difference, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """Models and planners under one setting, the most successful first."""

    heading: str
    facts: str
    rows: tuple[dict[str, Any], ...]


def write_comparison(store: Store, found: Comparison) -> str:
    """Writes the page of a comparison, `reports/comparisons/<names>-<digest>.html`, and returns its address."""
    names = "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", side).strip("_") for side in found.sides)[:80]
    path = f"reports/comparisons/{names}-{digest_of(list(found.sides))[:SHORT]}.html"
    sides = [(side, [_charts(rows) for rows in own]) for side, own in texts.by_figure(found.differences)]
    page = (
        _environment()
        .get_template("comparison.html.j2")
        .render(
            found=found,
            sides=sides,
            style=page_style(OWN_STYLE),
            figures=_json(found.model_dump_json(indent=1)),
        )
    )
    store.write(path, seal_page(page.encode()))
    return store.address(path)


def write_leaderboard_page(store: Store) -> tuple[str, pd.DataFrame]:
    """Writes `reports/leaderboard.html` beside the Parquet file, and returns its address and the rows."""
    table = write_leaderboard(store)
    page = (
        _environment()
        .get_template("leaderboard.html.j2")
        .render(
            rankings=_apart(list(_rankings(table))),
            style=page_style(OWN_STYLE),
            script=_script(),
            store=store.uri,
        )
    )
    store.write(LEADERBOARD, seal_page(page.encode()))
    return store.address(LEADERBOARD), table


def _environment() -> Environment:
    templates = environment(FOLDER)
    templates.filters.update(shown=shown, plain=plain, digits=_or_dash(digits), duration=_or_dash(duration_words))
    templates.globals.update(
        value_text=texts.value_text,
        interval_text=texts.interval_text,
        p_text=texts.p_text,
        metric_text=texts.metric_text,
    )
    return templates


def _or_dash(words: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: "–" if value is None else words(value)


def _script() -> Markup:
    return Markup((FOLDER / "sort.js").read_text(encoding="utf-8"))


def _json(text: str) -> Markup:
    # A name with "</script>" must not end the element.
    return Markup(text.replace("<", "\\u003c"))


def _charts(rows: list[Difference]) -> Chart:
    first = rows[0]
    better = {True: "less is better", False: "more is better", None: ""}[first.less_is_better]
    over = "The two intervals put together, for no rows pair." if first.over == "unpaired" else f"Over {first.over}."
    labels = texts.shown_labels(rows)
    return Chart(
        title=f"{first.evaluation}: {texts.metric_text(first)}",
        reading=" ".join(filter(None, (f"{first.protocol}; {better}." if better else f"{first.protocol}.", over))),
        drawing=_bars(rows, labels),
        rows=tuple(rows),
        labels=tuple(one.words(labels) for one in rows),
    )


def _bars(rows: list[Difference], labels: list[str]) -> Markup:
    """Returns the differences with their intervals beside the line of none, coloured by the verdict."""
    scale = 100 if rows[0].metric in texts.PERCENT else 1
    words = [one.words(labels) for one in rows]
    description = f"{rows[0].second} less {rows[0].first}: {texts.metric_text(rows[0])}"
    margin = 0.075 * max(map(len, words))
    with canvas(1, 1, (min(10.5, 4.2 + margin), 0.8 + 0.36 * len(rows))) as (figure, (ax,)):
        ax.axvline(0, color=INK, linewidth=1)
        for position, one in enumerate(rows):
            colour = COLOURS[one.verdict]
            if one.ci_low is not None and one.ci_high is not None:
                ax.plot([scale * one.ci_low, scale * one.ci_high], [position, position], color=colour, linewidth=2.4)
            ax.plot(scale * one.difference, position, "o", color=colour, markersize=7)
        ax.set_yticks(range(len(rows)), words)
        ax.tick_params(axis="y", labelcolor=INK, length=0)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.margins(x=0.1)
        points = "points" if scale == 100 else rows[0].unit if rows[0].unit not in ("", "1") else ""
        ax.set_xlabel(" ".join(filter(None, ("difference", f"in {points}" if points else ""))))
        return svg(figure, description)


def _rankings(table: pd.DataFrame) -> Iterator[Ranking]:
    for setting, own in grouped(table, SETTING):
        references = own.planner.isin(REFERENCES["planner"])
        # Floor and ceiling are no model's merit, and most often the same beside each.
        once = own[references].drop_duplicates(["planner", "success_rate", "regret", "n"])
        several = Counter(own[references].planner)
        shown_rows = pd.concat([own[~references], once])
        rows = tuple(_row(row, several) for row in shown_rows.to_dict("records"))
        yield Ranking(_heading(setting), _facts(setting), rows)


def _apart(rankings: list[Ranking]) -> list[Ranking]:
    """Returns the rankings with the most problems first; a heading that several have gains what differs in facts."""
    alike: dict[str, list[Ranking]] = {}
    for one in sorted(rankings, key=lambda one: -max(row["n"] or 0 for row in one.rows)):
        alike.setdefault(one.heading, []).append(one)
    found = []
    for one in sorted(rankings, key=lambda one: -max(row["n"] or 0 for row in one.rows)):
        others = [set(other.facts.split(" · ")) for other in alike[one.heading]]
        own = [fact for fact in one.facts.split(" · ") if not all(fact in other for other in others)]
        found.append(replace(one, heading=" · ".join([one.heading, *own])))
    return found


def _row(row: Mapping[Any, Any], several: Mapping[str, int]) -> dict[str, Any]:
    found = {
        str(name): json_value(value.item() if isinstance(value, np.generic) else value) for name, value in row.items()
    }
    reference = found["planner"] in REFERENCES["planner"]
    digest = found["model_digest"]
    found["model_text"] = (
        "" if reference and several.get(str(found["planner"]), 0) > 1 else _model(found["model"], digest)
    )
    return {**found, "reference": reference}


def _model(name: Any, digest: Any) -> str:
    return f"{name}@{digest[:SHORT]}" if digest else str(name)


def _heading(setting: Mapping[str, Any]) -> str:
    goal = f"{goal_words(setting['goal'])} goals" if setting["goal"] else "goals"
    ahead = f", {setting['offset']} steps ahead" if setting["offset"] is not None else ""
    return f"{setting['world']}: {goal}{ahead}, {setting['split']} episodes"


def _facts(setting: Mapping[str, Any]) -> str:
    version = f"@{setting['dataset_version']}" if setting["dataset_version"] is not None else ""
    facts = [
        setting["protocol"],
        f"dataset {setting['dataset']}{version}",
        f"success {setting['success_kind']}" if setting["success_kind"] else "",
        f"problems {setting['problems_digest'][:SHORT]}" if setting["problems_digest"] else "",
        f"seed {setting['seed']}",
        f"settings {setting['protocol_digest'][:SHORT]}" if setting["protocol_digest"] else "",
        f"version {setting['evaluation_version']}" if setting["evaluation_version"] is not None else "",
    ]
    return " · ".join(filter(None, facts))
