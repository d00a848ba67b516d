"""The curves of a page as SVG files that are read on a light and on a dark ground."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from pipelines.reports.page.elements.style import GREY, SERIES, VARIABLES, canvas, svg
from pipelines.reports.words import goal_words, plain
from tests.bench.worlds.blocks.facts import Figures

STYLE_SHEET = Path(__file__).parents[4] / "pipelines" / "reports" / "page" / "style.css"
LARGEST_RATIO = 20
"""Of the largest to the smallest value of a curve, from which it is drawn on a logarithmic axis."""
DRAWN = "data-figures"
NO_TERMS = ("effective_rank", "straightness")
"""Logged figures that no loss is made of; they are drawn last."""


def training_curves(figures: Figures) -> str | None:
    """Returns the curves of each logged term by optimiser step, a line for each training; None where there are none."""
    kept = figures["training_curves"]
    if not kept:
        return None
    curves = {metric: kept[metric] for metric in sorted(kept, key=lambda one: (one in NO_TERMS, one))}
    with _panels(len(curves)) as (figure, axes):
        for ax, (metric, seeds) in zip(axes, curves.items(), strict=False):
            for index, (seed, points) in enumerate(seeds.items()):
                steps, values = zip(*points, strict=True)
                ax.plot(steps, values, color=SERIES[index % len(SERIES)], label=f"seed {seed}")
            every = [value for points in seeds.values() for _, value in points]
            if min(every) > 0 and max(every) / min(every) > LARGEST_RATIO:
                ax.set_yscale("log")
            ax.set_title(plain(metric))
            ax.set_xlabel("optimiser step")
        axes[0].legend(frameon=False)
        words = f"Training of {figures['world']}: {', '.join(map(plain, curves))} by step"
        for ax in axes[len(curves) :]:
            ax.set_visible(False)
        return standing(svg(figure, words), kept)


def success_curves(figures: Figures) -> str | None:
    """Returns success on `test` by minutes of training, a line for each planner and model; None without one."""
    lines = figures["success_by_time"]
    if not lines:
        return None
    goals: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for line in lines:
        goals.setdefault((line["goal"], line["success_kind"], line["offset"], line["protocol"]), []).append(line)
    models = list(dict.fromkeys(line["training"] for line in lines))
    planners = list(dict.fromkeys(line["planner"] for line in lines))
    with _panels(len(goals)) as (figure, axes):
        for ax, ((goal, test, offset, _), own) in zip(axes, goals.items(), strict=False):
            for line in own:
                colour = SERIES[planners.index(line["planner"]) % len(SERIES)]
                _success(ax, line, colour, ("-", "--", ":", "-.")[models.index(line["training"]) % 4], len(models) > 1)
            _chance(ax, figures, own[0])
            ax.set_title(f"{goal_words(goal)} goals")
            ax.set_xlabel("minutes of training")
            ax.set_ylabel(f"success {offset} ahead, {test} test, %")
            ax.set_ylim(0, 100)
        for ax in axes[len(goals) :]:
            ax.set_visible(False)
        axes[0].legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
        return standing(svg(figure, f"Success of {figures['world']} by minutes of training"), lines)


def standing(inline: str, drawn: Any) -> str:
    """Returns an inline SVG as a file of its own: with both grounds' colours, and the digest of what it shows."""
    text = _compact(str(inline))
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)[0]
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    opening = f'<svg {names} {DRAWN}="{digest(drawn)}" width="{width}" height="{height}"'
    whole = re.sub(r"^<svg", opening, text, count=1)
    return re.sub(r"(<svg[^>]*>)", lambda match: match[1] + _style(), whole, count=1).rstrip() + "\n"


def digest(drawn: Any) -> str:
    """Returns what names the figures that a drawing shows."""
    return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:16]


def digest_in(text: str) -> str | None:
    """Returns the name of the figures that a file's drawing shows."""
    found = re.search(rf'{DRAWN}="([0-9a-f]+)"', text)
    return found[1] if found else None


def _style() -> str:
    """Returns the colours of the report's style sheet, which a light and a dark screen choose from."""
    light, dark = (
        dict(re.findall(r"(--[a-z]+): ?([^;]+);", part)) for part in STYLE_SHEET.read_text().split("@media", 1)
    )
    used = ["--font", "--card", *VARIABLES.values()]
    of_light = " ".join(f"{name}: {light[name]};" for name in used)
    of_dark = " ".join(f"{name}: {dark[name]};" for name in used if name in dark)
    return (
        f"<style>svg {{ background: var(--card); {of_light} }} text {{ font-family: var(--font); }} "
        f"@media (prefers-color-scheme: dark) {{ svg {{ {of_dark} }} }}</style>"
    )


def _compact(text: str) -> str:
    """Returns a drawing with coordinates of one decimal, the fonts of the style sheet and no blanks between lines."""
    places = r' (?:d|x|y|transform)="[^"]*"'
    text = re.sub(places, lambda match: re.sub(r"(\d\.\d)\d+", r"\1", match[0]), text)
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    return re.sub(r"\s*\n\s*", " ", text).replace("> <", ">\n<")


def _success(ax: Axes, line: Mapping[str, Any], colour: str, style: str, with_model: bool) -> None:
    _, minutes, values, lows, highs, _ = zip(*line["points"], strict=True)
    name = f"{line['planner']}, {line['training']}" if with_model else line["planner"]
    ax.plot(minutes, _percent(values), color=colour, linestyle=style, marker="o", markersize=3, label=name)
    ax.fill_between(minutes, _percent(lows), _percent(highs), color=colour, alpha=0.12, linewidth=0)


def _chance(ax: Axes, figures: Figures, line: Mapping[str, Any]) -> None:
    """Draws the levels of random actions and of the oracle on the same problems."""
    keys = ("protocol", "success_kind", "offset", "goal")
    for row in figures["planning"]:
        if row["split"] == "test" and row["planner"] in ("random", "oracle") and all(row[k] == line[k] for k in keys):
            ax.axhline(100 * row["success_rate"]["mean"], color=GREY, linewidth=1, linestyle="--")
            place, units = (1, 100 * row["success_rate"]["mean"]), ("axes fraction", "data")
            ax.annotate(row["planner"], place, (-2, 2), units, "offset points", ha="right", fontsize=8)


def _percent(values: Sequence[float]) -> list[float]:
    return [100 * value for value in values]


def _panels(count: int) -> Any:
    columns = min(count, 3)
    rows = -(-count // columns)
    return canvas(rows, columns, (3.5 * columns if columns > 1 else 5.0, 2.6 * rows))


def drawings(figures: Figures) -> Iterator[tuple[str, str | None]]:
    """Yields the drawings of a page by the name of its block."""
    yield "training_curves", training_curves(figures)
    yield "success_by_time", success_curves(figures)
