"""The three questions a researcher asks first; each is a few lines of Dask over the `metrics` table."""

import pandas as pd

from infra.storage import Store
from jepa.evaluation.statistics import wilson
from pipelines.store.reports.tables import read_table


def success_by_world_and_model(store: Store | str) -> pd.DataFrame:
    """Returns how often each model reaches its goals, over all seeds, random and oracle planners included.

    Returns:
        A row for each world, model, split, goal and planner with `success_rate`, its 95 % Wilson interval `ci_low` and
        `ci_high`, and `n`, the planning problems behind it.
    """
    metrics = read_table(store, "metrics")
    rates = metrics[metrics.metric == "success_rate"]
    rates = rates.assign(successes=rates.value * rates.n)
    by = ["world", "model", "split", "goal", "planner"]
    counts = rates.groupby(by)[["successes", "n"]].sum().compute().sort_index().reset_index()
    estimates = [wilson(round(row.successes), int(row.n)) for row in counts.itertuples()]
    counts["success_rate"] = [estimate.value for estimate in estimates]
    counts["ci_low"] = [estimate.low for estimate in estimates]
    counts["ci_high"] = [estimate.high for estimate in estimates]
    return counts[[*by, "success_rate", "ci_low", "ci_high", "n"]]


def probe_error_by_quantity(store: Store | str) -> pd.DataFrame:
    """Returns how well probes read each physical quantity from the latents, averaged over seeds.

    Returns:
        A row for each world, model, split, quantity and probe with the columns `mse`, `pearson_r` and `r2`.
    """
    metrics = read_table(store, "metrics")
    probing = metrics[metrics.evaluation == "probing"]
    by = ["world", "model", "split", "quantity", "probe"]
    values = probing.groupby([*by, "metric"]).value.mean().compute()
    return values.unstack("metric").rename_axis(columns=None).sort_index().reset_index()


def surprise_by_perturbation(store: Store | str) -> pd.DataFrame:
    """Returns how well a model's surprise tells perturbed episodes from untouched ones, averaged over seeds.

    Returns:
        A row for each world, model, split and shift with `auroc`, `ci_low` and `ci_high` (means over the seeds), their
        mean `strength` and `n`, the episodes of all seeds.
    """
    metrics = read_table(store, "metrics")
    aurocs = metrics[metrics.metric == "auroc"]
    groups = aurocs.groupby(["world", "model", "split", "shift"])
    table = groups.agg({"value": "mean", "ci_low": "mean", "ci_high": "mean", "strength": "mean", "n": "sum"}).compute()
    return table.rename(columns={"value": "auroc"}).sort_index().reset_index()
