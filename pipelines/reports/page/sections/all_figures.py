"""All figures of a run: as tiles for the headlines, as tables for people, as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipelines.reports.matrices import Matrix, gathered
from pipelines.reports.origins import COLUMNS, WORDS, Origin, differing, with_origins
from pipelines.reports.page.data import DETAILS, LINEAGE, METRICS_ORDER, ReportData
from pipelines.reports.page.elements.filters import json_value
from pipelines.reports.summary import HELD_OUT, Headline
from pipelines.store.reports import SCHEMA_VERSION

SPLITS = {"unseen": "Variations never seen in training", "test": "Held-out episodes"}
BOTH = "Held-out episodes · below the line: variations never seen in training"
FIGURE_COLUMNS = [*METRICS_ORDER, *LINEAGE, "value", "n", "ci_low", "ci_high", "unit"]


@dataclass(frozen=True)
class Tile:
    """A headline figure, with the same figure of variations that training did not contain, where there is one."""

    figure: Headline
    unseen: Headline | None = None


@dataclass(frozen=True)
class TileGroup:
    """The headline figures of one model, dataset version, protocol and seed, those of splits beside each other."""

    heading: str
    """nothing where there is one group of one split only"""
    label: str
    """what they are, for who cannot see them"""
    tiles: tuple[Tile, ...]
    matrices: tuple[Matrix, ...] = ()
    """those that are many of a kind"""


@dataclass(frozen=True)
class FigureTable:
    """The rows of one kind of evaluation: the cells that tell them apart, and the rows themselves."""

    evaluation: str
    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[Any, ...], Any], ...]


def tile_groups(data: ReportData) -> list[TileGroup]:
    """Returns the headlines of each origin together, under what tells it from the others."""
    groups: dict[tuple[str, ...], list[Headline]] = {}
    for tile in data.headlines:
        words = data.words.words(tile)
        groups.setdefault(tuple(words[word] for word in WORDS), []).append(tile)
    shown = differing([dict(zip(WORDS, key, strict=True)) for key in groups])
    made = []
    for key, tiles in groups.items():
        words = dict(zip(WORDS, key, strict=True))
        splits = [split for split in HELD_OUT if any(tile.split == split for tile in tiles)]
        said = SPLITS[splits[0]] if len(splits) == 1 else BOTH
        heading = " · ".join([*(words[word] for word in shown if words[word]), said])
        label = f"Headline figures of {words['model']} on {' and '.join(splits)} episodes"
        few, many = gathered(tiles)
        bare = len(groups) == 1 and len(splits) == 1
        made.append(TileGroup("" if bare else heading, label, _tiles(few), tuple(many)))
    return made


def _tiles(figures: Sequence[Headline]) -> tuple[Tile, ...]:
    """Returns a tile for each figure of test episodes with that of unseen variations, then those that stand alone."""
    places: dict[Any, dict[str, Headline]] = {}
    for one in figures:
        places.setdefault((one.kind, one.by, one.title), {})[one.split] = one
    made = []
    for own in places.values():
        first, *others = (own[split] for split in HELD_OUT if split in own)
        made.append(Tile(first, others[0] if others else None))
    return tuple(made)


def figure_tables(data: ReportData) -> list[FigureTable]:
    """Returns a table for each kind of evaluation, without columns that are empty or tell nothing apart."""
    return [_table(data, str(kind), rows) for kind, rows in data.metrics.groupby("evaluation", sort=True)]


def _table(data: ReportData, kind: str, rows: pd.DataFrame) -> FigureTable:
    held = [column for column in COLUMNS if column in rows]
    origins = [Origin.model_validate(values) for values in with_origins(rows)[held].to_dict("records")]
    words = [data.words.words(origin) for origin in origins]
    columns: dict[str, list[Any]] = {"model": [own["model"] for own in words]}
    for word in differing(words):
        if word in ("dataset", "version", "run"):
            columns[word] = [own[word] or "–" for own in words]
    columns |= {column: list(rows[column]) for column in ("split", *DETAILS) if rows[column].notna().any()}
    protocols = [own["protocol"] for own in words]
    cells = zip(*columns.values(), strict=True)
    shown = rows.assign(protocol=protocols).itertuples()
    return FigureTable(kind, tuple(columns), tuple(zip(cells, shown, strict=True)))


def figures_json(data: ReportData) -> Markup:
    """Returns the figures shown, for programs: the headlines and every row of the metrics table."""
    rows = data.metrics[FIGURE_COLUMNS].astype(object).to_dict("records")
    figures = {
        "run": data.run,
        "schema_version": SCHEMA_VERSION,
        "headlines": [headline.model_dump(mode="json") for headline in data.headlines],
        "metrics": [{name: json_value(value) for name, value in row.items()} for row in rows],
    }
    # A name with "</script>" must not end the element.
    return Markup(json.dumps(figures, indent=1, allow_nan=False).replace("<", "\\u003c"))
