"""Figures of evaluations without rows that pair: their values beside each other, with a wider interval."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from infra.storage import Store
from jepa.evaluation.statistics import interval_p_value, seeds_difference, unpaired_difference
from pipelines.reports.comparison.origins import KindMatch
from pipelines.reports.comparison.pairs import interval, known
from pipelines.reports.comparison.results import Difference
from pipelines.reports.comparison.sides import Side
from pipelines.reports.summary import Headline, headlines
from pipelines.store.reports import read_table

Key = tuple[Any, ...]


def unpaired(store: Store, match: KindMatch, first: Side, second: Side) -> Iterator[Difference]:
    """Yields the difference of each headline figure of a kind that all models of both sides have."""
    sides = [[_figures(store, match, model.text) for model in side.models] for side in (first, second)]
    shared = [key for key in sides[0][0] if all(key in own for side in sides for own in side)]
    for key in shared:
        figures = [[own[key] for own in side] for side in sides]
        example = figures[0][0]
        ends, over = _difference(figures)
        yield Difference(
            first=first.text,
            second=second.text,
            evaluation=example.evaluation,
            protocol=example.protocol,
            split=example.split,
            seed=example.seed or 0,
            labels=tuple((name, str(value)) for name, value in example.by if value is not None),
            privileged="privileged" in example.marks,
            metric=example.kind,
            unit=example.unit,
            less_is_better=example.less_is_better,
            **{
                f"{name}_value": float(np.mean([one.value for one in own]))
                for name, own in zip(("first", "second"), figures, strict=True)
            },
            **ends,
            over=over,
        )


def _difference(figures: list[list[Headline]]) -> tuple[dict[str, Any], str]:
    values = [np.array([[one.value] for one in own]) for own in figures]
    if min(map(len, values)) > 1:
        estimate, fewest = seeds_difference(*values), min(map(len, values))
        return interval(estimate) | {"p_value": interval_p_value(estimate, fewest - 1), "n": fewest}, "seeds"
    if max(map(len, values)) > 1:
        value = float(values[1].mean() - values[0].mean())
        return {"difference": value, "ci_low": None, "ci_high": None, "n": figures[0][0].n}, "unpaired"
    estimate = unpaired_difference(*(own[0].estimate for own in figures))
    return interval(estimate) | {"p_value": interval_p_value(estimate, max(estimate.n - 1, 1))}, "unpaired"


def _figures(store: Store, match: KindMatch, model: str) -> dict[Key, Headline]:
    units = [unit for origin in match.common for unit in match.origins[model][origin]]
    rows = read_table(store, "metrics", units=units, kinds=[match.kind]).compute()
    found = headlines(rows[rows.evaluation == match.kind])
    return {_key(one): one for one in found if known(one.value) is not None}


def _key(one: Headline) -> Key:
    """Returns what is the same of a figure on both sides: all of its origin but the model, and what tells it apart."""
    origin = (one.dataset, one.dataset_version, one.protocol, one.protocol_digest, one.evaluation_version)
    return (*origin, one.problems_digest, one.split, one.seed, one.kind, one.by)
