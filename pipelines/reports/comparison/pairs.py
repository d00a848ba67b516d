"""From scores on the same problems to differences, means over seeds, and the split of the variance.

Shapes: S, T models of the first and the second side, P streams, N problems or episodes, K tasks.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jepa.core.seeds import derive_seed
from jepa.evaluation.statistics import (
    Estimate,
    Floats,
    interquartile_mean,
    interval_p_value,
    mcnemar,
    paired_difference,
    paired_rate_difference,
    probability_of_improvement,
    seeds_difference,
    variance_split,
)
from pipelines.reports.comparison.results import Component, Difference, SeedsMean, VarianceTable
from pipelines.reports.comparison.scores import ORIGIN, Scores
from pipelines.reports.comparison.sides import Side


def difference(scores: Scores, first: Side, second: Side) -> Difference | None:
    """Returns the difference of two sides in one figure; None where they share no problem or episode."""
    stacked = _stacked(scores, [*first.models_text, *second.models_text])
    if stacked is None:
        return None
    scores_MPN, missing = stacked
    means_MN = scores_MPN.mean(1)
    first_SN, second_TN = means_MN[: len(first.models)], means_MN[len(first.models) :]
    seed = derive_seed(0, "comparison", scores.metric)
    several = min(len(first_SN), len(second_TN)) > 1
    freedom = first_SN.shape[1] - 1
    if several:
        # Satterthwaite's are no fewer.
        freedom = min(len(first_SN), len(second_TN), first_SN.shape[1]) - 1
        estimate = seeds_difference(first_SN, second_TN)
    else:
        paired = paired_difference if scores.kind == "mean" else paired_rate_difference
        estimate = paired(first_SN.mean(0), second_TN.mean(0), seed)
    items = "problems" if scores.labels.get("planner") is not None else "episodes"
    return Difference(
        first=first.text,
        second=second.text,
        **named(scores.labels),
        metric=scores.metric,
        unit=scores.unit,
        less_is_better=scores.less_is_better,
        first_value=float(first_SN.mean()),
        second_value=float(second_TN.mean()),
        **interval(estimate),
        missing=missing,
        over="problems and seeds" if several else items,
        **{"p_value": interval_p_value(estimate, max(freedom, 1)), **_tested(scores, first_SN, second_TN, seed)},
    )


def _tested(scores: Scores, first_SN: Floats, second_TN: Floats, seed: int) -> dict[str, Any]:
    """Returns McNemar's test, of one model a side, and the probability of improvement."""
    if scores.kind == "area":
        return {}  # an episode's part of an area is no score of that episode
    better = probability_of_improvement(first_SN, second_TN, seed, scores.less_is_better)
    found: dict[str, Any] = {"improvement": better.value}
    found |= {"improvement_low": known(better.low), "improvement_high": known(better.high)}
    if scores.kind == "rate" and len(first_SN) == len(second_TN) == 1:
        test = mcnemar(first_SN[0], second_TN[0])
        found |= {"only_first": test.only_first, "only_second": test.only_second, "p_value": test.p_value}
    return found


def seeds_means(scores: Sequence[Scores], side: Side) -> list[SeedsMean]:
    """Returns the interquartile mean of each figure over a side's models, if it has several."""
    if len(side.models) < 2:
        return []
    tasks: dict[tuple[str, ...], list[tuple[Scores, Floats]]] = {}
    for one in scores:
        stacked = _stacked(one, side.models_text)
        if stacked is not None:
            own = (one.evaluation, one.metric, str(one.labels["protocol"]))
            planner = one.labels.get("planner") or one.labels.get("probe") or ""
            tasks.setdefault((*own, str(planner)), []).append((one, stacked[0].mean((1, 2))))
    made = []
    for (_, metric, protocol, planner), own_tasks in sorted(tasks.items()):
        scores_SK = np.stack([values_S for _, values_S in own_tasks], axis=1)
        estimate = interquartile_mean(scores_SK, derive_seed(0, "interquartile mean", metric))
        ends = {"ci_low": known(estimate.low), "ci_high": known(estimate.high)}
        example = own_tasks[0][0]
        made.append(
            SeedsMean(
                side=side.text,
                evaluation=example.evaluation,
                protocol=protocol,
                metric=metric,
                planner=planner,
                value=estimate.value,
                **ends,
                seeds=len(scores_SK),
                tasks=scores_SK.shape[1],
                less_is_better=example.less_is_better,
            )
        )
    return made


def variance_table(scores: Scores, side: Side) -> VarianceTable | None:
    """Returns where a figure's scatter over a side's models comes from; None for one model, and for other figures."""
    stacked = _stacked(scores, side.models_text) if scores.metric in SPLIT else None
    split = variance_split(stacked[0]) if stacked is not None else None
    if stacked is None or split is None:
        return None
    labels = named(scores.labels)
    return VarianceTable(
        side=side.text,
        **{name: labels[name] for name in ("evaluation", "protocol", "split", "labels")},
        metric=scores.metric,
        unit=scores.unit,
        **dict(zip(("seeds", "streams", "problems"), stacked[0].shape, strict=True)),
        mean=split.mean,
        components=tuple(
            Component(
                of=" × ".join(factors),
                variance=variance,
                share=known(split.share(*factors)),
            )
            for factors, variance in split.components.items()
        ),
        mean_error=split.mean_error(),
        difference_error=split.difference_error(),
        detectable=split.detectable(),
    )


SPLIT = ("success_rate", "regret")
"""Figures whose scatter is split into training seed, planner's stream and problem."""


def named(labels: Any) -> dict[str, Any]:
    """Returns labels as the fields of a result: those that all figures have, and those that some have."""
    others = [(name, value) for name, value in labels.items() if name not in NAMED]
    return {
        "evaluation": str(labels["evaluation"]),
        "protocol": str(labels["protocol"]),
        "split": str(labels["split"]),
        "seed": int(labels["seed"]),
        "labels": tuple((name, str(value)) for name, value in others if value is not None),
        "privileged": bool(labels.get("privileged") or False),
    }


NAMED = frozenset({"evaluation", "protocol", "split", "seed", "privileged", *ORIGIN})
"""Labels with a field of their own, and those of the origin, which is the same on both sides."""


def interval(estimate: Estimate) -> dict[str, Any]:
    """Returns a difference with its interval as fields of a result."""
    ends = {"ci_low": known(estimate.low), "ci_high": known(estimate.high)}
    return {"difference": estimate.value, **ends, "n": estimate.n}


def known(value: float) -> float | None:
    """Returns a number, None where there is none."""
    return None if math.isnan(value) else float(value)


def _stacked(scores: Scores, models: Sequence[str]) -> tuple[Floats, int] | None:
    """Returns the scores (M, P, N) of models on what all of them have, and how many items some of them lack."""
    frames = [scores.frames.get(model) for model in models]
    held = [frame for frame in frames if frame is not None]
    if len(held) < len(models):
        return None
    streams = held[0].columns
    for frame in held[1:]:
        streams = streams.intersection(frame.columns)
    if not len(streams):
        return None
    whole = [frame[streams].dropna() for frame in held]
    common = whole[0].index
    for frame in whole[1:]:
        common = common.intersection(frame.index)
    if not len(common):
        return None
    every = pd.Index(np.unique(np.concatenate([frame.index.to_numpy() for frame in held])))
    return np.stack([frame.loc[common].to_numpy(float).T for frame in whole]), len(every) - len(common)
