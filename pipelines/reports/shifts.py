"""Figures of a model under shifts beside its usual ones: which differ, and whether the problem became harder.

A cell is one headline figure under one value of one factor. It is held against the same figure of the same model on the
usual test episodes, which are other episodes; Holm's correction is over all cells of a command. The oracle plans in the
true world, so what it loses under a shift is the problem's, and what the model loses beyond that is its own.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from infra.storage import Store, open_store
from infra.version import code_version
from jepa.evaluation.statistics import UnpairedTest, holm, unpaired_test, welch_test
from jepa.worlds import WORLDS, shifts_of
from pipelines.reports.summary import Headline, declared_figures, headlines
from pipelines.store.reports import Context, UnitManifest, read_table, unit_key, write_tables
from pipelines.store.reports.schema import SHIFTS

SPLIT, ORACLE, RATE, REGRET = "test", "oracle", "success_rate", "regret"
COLUMNS = [column.name for column in SHIFTS]
ORIGIN = ["world", "model", "model_digest", "usual_dataset", "protocol", "protocol_digest", "evaluation_version"]
CELL = ["evaluation", "seed", "figure", "label", "factor", "factor_value"]
FIRST = ["world", "model", "usual_dataset", "protocol", "seed", "factor", "factor_value"]
"""Columns that open the table of `shift_matrix`."""


class Cell(NamedTuple):
    """One headline figure under one shift, and without."""

    factor: str
    value: float
    own: Headline
    usual: Headline
    found: UnpairedTest


def shift_matrix(store: Store | str, model: str | None = None) -> pd.DataFrame:
    """Returns how the headline figures of a model, by default of all, change under the shifts that were judged.

    Returns:
        A row for each factor, its value and figure, with `value`, `usual_value` and `difference`, their intervals, `p`
        and `p_holm` (corrected for the `cells` of the command that compared them last), `oracle_value` and
        `oracle_difference`.
    """
    rows = read_table(open_store(store) if isinstance(store, str) else store, "shifts").compute()
    return newest_cells(rows if model is None else rows[rows.model == model])


def newest_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns rows of `shifts` without those of cells that were compared again later, in reading order."""
    kept = rows.sort_values("created_at").drop_duplicates([*ORIGIN, *CELL], keep="last")
    first = [*FIRST, *(name for name in COLUMNS if name not in FIRST)]
    last = [name for name in rows.columns if name not in first]
    return kept.sort_values([*FIRST, "evaluation", "figure", "label"], ignore_index=True)[[*first, *last]]


def training_contained(world: str, factor: str, value: float) -> bool:
    """Returns whether training contains a value of a factor or option; False where the world is not known here."""
    known = shifts_of(WORLDS.get(world).world_spec) if world in WORLDS else ()
    return any(one.name == factor and one.in_training(value) for one in known)


def write_shifts(store: Store, units: Sequence[UnitManifest], run: str) -> pd.DataFrame:
    """Compares shifted with usual figures, writes the table `shifts` of a run, and returns the rows that it has now.

    Args:
        store: where the units are.
        units: of one evaluation, shifted and usual ones.
        run: name of the run.
    """
    cells = list(_cells(store, units))
    known = [math.nan if cell.found.p_value is None else cell.found.p_value for cell in cells]
    corrected = [None if math.isnan(p) else p for p in holm(known).tolist()]
    counted = sum(p is not None for p in corrected)
    parts: dict[tuple[str, float, str], list[tuple[Cell, float | None]]] = {}
    for cell, p_holm in zip(cells, corrected, strict=True):
        parts.setdefault((cell.factor, cell.value, cell.own.evaluation), []).append((cell, p_holm))
    written = []
    for (factor, value, kind), own in parts.items():
        of = next(unit for unit in units if _is_of(unit, factor, value) and unit.may_be_of([kind]))
        rows = [_row(cell, p_holm, counted) for cell, p_holm in own]
        facts = {name: getattr(of, name) for name in ("model", "model_digest", "world", "dataset", "dataset_version")}
        facts |= {name: getattr(of, name) for name in ("dataset_digest", "protocol_digest", "evaluation_version")}
        context = Context(run=run, factor=factor, factor_value=value, code_version=code_version(), **facts)
        identity = {"run": run, "factor": factor, "value": value, "seed": own[0][0].own.seed, "facts": facts}
        usual = own[0][0].usual.model_dump(mode="json", include={"dataset", "dataset_digest", "protocol"})
        key = unit_key("shifts", f"{kind}-{factor}", identity | {"usual": usual})
        written.append(write_tables(store, {"shifts": rows}, key, context, replace=True))
    return newest_cells(read_table(store, "shifts", units=written).compute())


def _cells(store: Store, units: Sequence[UnitManifest]) -> Iterator[Cell]:
    usual = _Judged.read(store, [unit for unit in units if unit.factor is None])
    beside = {_key(one): one for one in usual.headlines}
    shifts = dict.fromkeys((unit.factor, unit.factor_value) for unit in units if unit.factor is not None)
    for factor, value in shifts:
        shifted = _Judged.read(store, [unit for unit in units if _is_of(unit, factor, value)])
        for own in shifted.headlines:
            if (other := beside.get(_key(own))) is not None:
                found = _difference(own, shifted.samples(own), other, usual.samples(other))
                yield Cell(str(factor), float(value or 0), own, other, found)


def _difference(
    own: Headline, samples: Sequence[float], usual: Headline, usual_samples: Sequence[float]
) -> UnpairedTest:
    if samples and usual_samples:
        return welch_test(usual_samples, samples)
    metrics = {(kind, figure.name): figure.metric for kind, figure in declared_figures()}
    return unpaired_test(usual.estimate, own.estimate, rate=metrics[own.evaluation, own.kind] == RATE)


@dataclass(frozen=True)
class _Judged:
    """What some units found on test episodes."""

    headlines: list[Headline]
    episodes: pd.DataFrame

    @classmethod
    def read(cls, store: Store, units: Sequence[UnitManifest]) -> "_Judged":
        tables = [read_table(store, table, units=units, shifts=True).compute() for table in ("metrics", "episodes")]
        metrics, episodes = (rows[rows.split == SPLIT] for rows in tables)
        return cls(headlines(metrics), episodes)

    def samples(self, one: Headline) -> list[float]:
        """Returns the samples that a figure is the mean of, one a problem; none where rows of it are not kept."""
        if one.kind != REGRET:
            return []
        own = self.episodes[(self.episodes.seed == one.seed) & (self.episodes.protocol == one.protocol)]
        for name, value in one.by:
            own = own[own[name].isna() if value is None else own[name] == value]
        lost = own.assign(lost=own.final_distance - own.oracle_final_distance).groupby("problem").lost.mean()
        return [float(value) for value in lost.dropna()]


def _is_of(unit: UnitManifest, factor: str | None, value: float | None) -> bool:
    return (unit.factor, unit.factor_value) == (factor, value)


def _key(one: Headline) -> tuple[Any, ...]:
    """Returns what a figure has in common with the same one on other episodes."""
    return (one.evaluation, one.evaluation_version, one.kind, one.by, one.protocol, one.protocol_digest, one.seed)


def _row(cell: Cell, p_holm: float | None, cells: int) -> dict[str, Any]:
    own, usual, found = cell.own, cell.usual, cell.found
    oracle, usual_oracle = (dict(one.beside).get(ORACLE) for one in (own, usual))
    both = oracle is not None and usual_oracle is not None
    return {
        **{name: value for name, value in own.by if name in COLUMNS},
        "evaluation": own.evaluation,
        "protocol": own.protocol,
        "seed": own.seed,
        "figure": own.kind,
        "label": own.label,
        "unit": own.unit,
        "percent": own.percent,
        "less_is_better": bool(own.less_is_better),
        **{"value": own.value, "ci_low": own.ci_low, "ci_high": own.ci_high, "n": own.n},
        **{"usual_value": usual.value, "usual_ci_low": usual.ci_low, "usual_ci_high": usual.ci_high},
        **{"usual_n": usual.n, "usual_dataset": f"{usual.dataset}@{usual.dataset_version}"},
        **{"difference": found.value, "difference_low": found.low, "difference_high": found.high},
        **{"test": found.test, "p": found.p_value, "p_holm": p_holm, "cells": cells},
        "oracle_value": oracle,
        "oracle_difference": float(oracle or 0) - float(usual_oracle or 0) if both else None,
    }
