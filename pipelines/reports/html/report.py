"""Renders one run as a single HTML file that needs nothing else: no network, no other file, no script."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import Field, PositiveInt

from infra.progress import Progress
from infra.storage import Store
from jepa.core.config import Config
from pipelines.reports.html import sections
from pipelines.reports.html.data import METRICS_ORDER, ReportData, latest_run, read_run
from pipelines.reports.summary import Headline
from pipelines.store.reports.schema import SCHEMA_VERSION

FOLDER = Path(__file__).parent
FIGURE_COLUMNS = [*METRICS_ORDER, "value", "n", "ci_low", "ci_high", "unit"]


class ReportConfig(Config):
    """What to report on, and how much of it to show."""

    run: str = ""
    """Id of the run; empty takes the one whose results were written last."""
    episodes: PositiveInt = 4
    """Film strips of held-out episodes."""
    frames: PositiveInt = 9
    """Frames in a film strip."""
    paths: PositiveInt = 4
    """Scenes of goals reached, and as many of goals missed."""
    points: int = Field(500, ge=10)
    """Dots in a scatter plot."""


class ReportResult(Config):
    """Where the report is, and the figures that it opens with."""

    run: str
    path: str
    """Path within the store."""
    address: str
    """Full address, to be opened in a browser."""
    headlines: tuple[Headline, ...]


def report(config: ReportConfig, store: Store, progress: Progress) -> ReportResult:
    """Writes `reports/<run>/report.html`.

    Raises:
        InputError: the store holds no results of that run, or none at all.
    """
    run = config.run or latest_run(store)
    data = read_run(store, run)
    path = f"reports/{run}/report.html"
    store.write(path, render(data, config, store, progress).encode())
    return ReportResult(run=run, path=path, address=store.address(path), headlines=tuple(data.headlines))


def render(data: ReportData, config: ReportConfig, store: Store, progress: Progress) -> str:
    """Returns the page of a run's data; cards and film strips are read from the store."""
    amounts = sections.Amounts(config.episodes, config.frames, config.paths, config.points)
    makers = (
        lambda: sections.episodes(data, store, amounts),
        lambda: sections.training(data, amounts),
        lambda: sections.probing(data, amounts),
        lambda: sections.planning(data, amounts),
        lambda: sections.surprise(data, amounts),
        lambda: sections.imagination(data, amounts),
        lambda: sections.cards(data, store),
    )
    made = []
    with progress.phase(f"report {data.run}", len(makers), "sections") as phase:
        for maker in makers:
            made.append(maker())
            phase.advance(1)
    # Autoescape: every name in the tables comes from someone's input.
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, share=share, filled=filled, cell=cell, groupby_pair=by_model)
    return environment.get_template("report.html.j2").render(
        data=data,
        sections=[section for section in made if section.blocks or section.missing],
        style=Markup((FOLDER / "style.css").read_text()),
        figures=figures_json(data),
        written=max(unit.created_at for unit in data.units),
        schema_version=SCHEMA_VERSION,
        evaluations=list(data.metrics.groupby("evaluation", sort=True)),
    )


def figures_json(data: ReportData) -> Markup:
    """Returns the figures shown, for programs: the headlines and every row of the metrics table."""
    rows = data.metrics[FIGURE_COLUMNS].astype(object).to_dict("records")
    figures = {
        "run": data.run,
        "schema_version": SCHEMA_VERSION,
        "headlines": [headline.model_dump(mode="json") for headline in data.headlines],
        "metrics": [{name: _json_value(value) for name, value in row.items()} for row in rows],
    }
    # A name with "</script>" must not end the element.
    return Markup(json.dumps(figures, indent=1, allow_nan=False).replace("<", "\\u003c"))


def number(value: Any) -> str:
    """Returns a figure with four significant digits, a dash where there is none."""
    if _json_value(value) is None:
        return "–"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


TRACKS = {"auroc": (0.5, 1.0), "psnr": (10.0, 40.0)}
"""Ends of tracks that do not go from 0 to 1: an AUROC's begins at chance, likeness in dB where little is alike."""


def share(value: float, tile: Headline) -> float:
    """Returns where on its track, in per cent, a tile's figure lies."""
    low, high = TRACKS.get(tile.kind, (0.0, 1.0))
    return round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 2)


def by_model(tiles: list[Headline]) -> list[tuple[tuple[str, str], list[Headline]]]:
    """Returns the tiles of each model and split together."""
    groups: dict[tuple[str, str], list[Headline]] = {}
    for tile in tiles:
        groups.setdefault((tile.model, tile.split), []).append(tile)
    return list(groups.items())


def filled(rows: pd.DataFrame, columns: list[str]) -> list[str]:
    """Returns those of the columns that hold anything."""
    return [column for column in columns if rows[column].notna().any()]


def cell(row: Any, column: str) -> str:
    """Returns one value of a row as text."""
    value = _json_value(getattr(row, column))
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _json_value(value: Any) -> Any:
    missing = value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value
