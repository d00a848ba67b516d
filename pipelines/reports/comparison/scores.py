"""Scores that pair: what each model reached on each problem or episode, from the finer tables.

Shapes: G episodes. A frame of scores has a row for each problem or episode and a column for each random stream.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from infra.storage import Store
from jepa.evaluation.kinds.planning.report import REFERENCES
from jepa.evaluation.statistics import pair_parts
from pipelines.reports.selection import grouped
from pipelines.store.references import SHORT
from pipelines.store.reports import read_table
from pipelines.store.reports.manifest import UnitManifest
from pipelines.store.reports.schema import row_columns

ORIGIN = ("dataset", "dataset_version", "dataset_digest", "protocol_digest", "evaluation_version", "problems_digest")
"""What has to be the same, beside the labels that the rows of a table bring themselves."""
Frames = Mapping[str, pd.DataFrame]
"""By the text of a model."""


@dataclass(frozen=True)
class Scores:
    """One figure of several models on the same problems or episodes, and nothing else between them."""

    labels: Mapping[str, Any]
    """what the rows have in common: origin, split, goal, planner, perturbation, probe …; None for what is missing"""
    metric: str
    unit: str
    kind: Literal["rate", "mean", "area"]
    less_is_better: bool
    frames: Frames

    @property
    def evaluation(self) -> str:
        """The kind of evaluation."""
        return str(self.labels["evaluation"])


@dataclass(frozen=True)
class Source:
    """A table with scores that pair, and how they are read off the rows of one group."""

    table: str
    columns: tuple[str, ...]
    """what is read beside the labels"""
    scores: Callable[[Frames], Iterator[tuple[str, str, Literal["rate", "mean", "area"], bool, Frames]]]
    """yields metric, unit, kind, whether less is better, and the frames"""
    without: Mapping[str, Sequence[str]]
    """labels of rows that no model is compared by"""
    numbers: tuple[str, ...] = ()
    """whole numbers and texts of the table that label nothing"""

    def labels(self) -> list[str]:
        """Returns the columns that tell the figures of the table apart."""
        kinds = ("string", "int", "bool")
        own = [column.name for column in row_columns(self.table) if column.type in kinds]
        return [name for name in own if name not in (*self.columns, *self.numbers)]


def read_scores(store: Store, kind: str, units: Sequence[UnitManifest]) -> Iterator[Scores]:
    """Yields the figures of some units that pair, of whatever models; nothing for kinds without such rows."""
    source = SOURCES.get(kind)
    if source is None or not any(part.table == source.table for unit in units for part in unit.parts):
        return
    labels = [*ORIGIN, *source.labels()]
    wanted = list(dict.fromkeys(["model", "model_digest", *labels, *source.columns]))
    rows = read_table(store, source.table, columns=wanted, units=units).compute()
    for column, unwanted in source.without.items():
        rows = rows[~rows[column].isin(list(unwanted))]
    rows = rows.assign(model=[_text(*pair) for pair in zip(rows.model, rows.model_digest, strict=True)])
    for values, own in grouped(rows, labels):
        frames = {str(model): frame for model, frame in own.groupby("model", sort=False)}
        for metric, unit, form, less, found in source.scores(frames):
            yield Scores({"evaluation": kind, **values}, metric, unit, form, less, found)


def _text(name: str, digest: Any) -> str:
    return str(name) if pd.isna(digest) else f"{name}@{digest[:SHORT]}"


def _planned(frames: Frames) -> Iterator[tuple[str, str, Literal["rate", "mean", "area"], bool, Frames]]:
    """Yields success, final distance and regret, a row a problem, a column a stream."""
    unit = str(next(iter(frames.values())).unit.iloc[0])

    def pivoted(score: Callable[[pd.DataFrame], pd.Series]) -> Frames:
        found = {}
        for model, rows in frames.items():
            # The number is the problem's of its manifest; episode and row keep rows of older code apart, without one.
            held = rows.assign(stream=rows.stream.fillna(0), score=score(rows).astype(float))
            found[model] = held.pivot_table(
                index=["problem", "episode", "start_row"], columns="stream", values="score", dropna=False
            ).dropna(how="all")
        return found

    yield "success_rate", "1", "rate", False, pivoted(lambda rows: rows.success)
    yield "final_distance", unit, "mean", True, pivoted(lambda rows: rows.final_distance)
    regret = pivoted(lambda rows: rows.final_distance - rows.oracle_final_distance)
    if all(len(frame) for frame in regret.values()):
        yield "regret", unit, "mean", True, regret


def _surprised(frames: Frames) -> Iterator[tuple[str, str, Literal["rate", "mean", "area"], bool, Frames]]:
    """Yields the AUROC at the event, as each episode's part of it, and whether the perturbed twin surprised more."""
    twins = {}
    for model, rows in frames.items():
        at = rows[rows.step == rows.event_step]
        wide = at.pivot_table(index="episode", columns="perturbed", values="surprise")
        twins[model] = wide.dropna() if {True, False} <= set(wide.columns) else wide.iloc[:0]
    common = _common([frame.index for frame in twins.values()])
    if not len(common) or any(frame.empty for frame in twins.values()):
        return
    held = {model: frame.loc[common] for model, frame in twins.items()}
    parts = {m: pair_parts(f[True].to_numpy(float), f[False].to_numpy(float)) / 2 for m, f in held.items()}
    yield "auroc", "1", "area", False, {m: pd.DataFrame({0: part_G}, common) for m, part_G in parts.items()}
    ahead = {m: (f[True] > f[False]) + 0.5 * (f[True] == f[False]) for m, f in held.items()}
    yield "pairwise_accuracy", "1", "rate", False, {m: pd.DataFrame({0: won.astype(float)}) for m, won in ahead.items()}


def _probed(frames: Frames) -> Iterator[tuple[str, str, Literal["rate", "mean", "area"], bool, Frames]]:
    """Yields a probe's squared error over the variance of the truth: 1 - R² on the frames that are kept."""
    keys = ["episode", "step", "dimension"]
    common = _common([pd.MultiIndex.from_frame(rows[keys]) for rows in frames.values()])
    found = {}
    for model, rows in frames.items():
        held = rows.drop_duplicates(keys).set_index(keys).reindex(common)
        spread = held.groupby(level="dimension").target.var(ddof=0)
        scale = spread[spread > 0].reindex(held.index.get_level_values("dimension")).to_numpy()
        error = (held.predicted - held.target) ** 2 / scale
        found[model] = error.groupby(level="episode").mean().dropna().to_frame(0)
    yield "unexplained_variance", "1", "mean", True, found


def _common(indexes: Sequence[pd.Index]) -> pd.Index:
    """Returns what all indexes hold, in the order of the first."""
    common = indexes[0].unique()
    for other in indexes[1:]:
        common = common[common.isin(other)]
    return common


SOURCES: dict[str, Source] = {
    "planning": Source(
        table="episodes",
        columns=(
            *("problem", "stream", "episode", "start_row", "success"),
            *("final_distance", "oracle_final_distance", "unit"),
        ),
        scores=_planned,
        without=REFERENCES,
        numbers=("goal_episode", "goal_row", "known_steps", "steps_to_goal", "start_state", "goal_state"),
    ),
    "surprise": Source(
        table="steps",
        columns=("episode", "perturbed", "step", "event_step", "surprise"),
        scores=_surprised,
        without={},
    ),
    "probing": Source(
        table="predictions",
        columns=("episode", "step", "dimension", "target", "predicted"),
        scores=_probed,
        without={},
        numbers=("unit",),
    ),
}
"""By kind of evaluation. Kinds that are not here have no rows that pair, and are compared by their figures."""
