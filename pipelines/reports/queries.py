"""The questions a researcher asks first; each is a few lines over the `metrics` table.

Figures of different origins stand in rows of their own: nothing is averaged over models, versions of a dataset,
protocols, splits or seeds.
"""

import pandas as pd

from infra.storage import Store
from jepa.evaluation.kinds.probing.report import MAIN
from pipelines.reports.selection import select
from pipelines.store.reports import read_table

FIRST = ["world", "model", "dataset", "dataset_version", "protocol", "split", "seed"]
"""Columns that open each table."""
LAST = ["model_digest", "dataset_digest", "protocol_digest", "evaluation_version", "problems_digest", "run"]
"""Columns that close it and tell the rows apart where the first do not. `run` is that of rows of older code, which have
no digests; any other row may belong to several runs."""
PROBED = ["quantity", "probe"]
READ = ["latents", "frames", "blocks_ahead"]
PLANNED = ["goal", "offset", "planner", "privileged"]
COSTING = ["success_rate", "regret", "normalised_regret", "plan_seconds"]
DOSED = ["shift", "score", "blocks_ahead", "strength"]
DOSES = [
    *("strength_unit", "principle", "physical", "detection_rate", "detection_low", "detection_high"),
    *("auroc", "auroc_low", "auroc_high", "n"),
]
INTERVAL = ["ci_low", "ci_high", "n"]


def success_by_world_and_model(store: Store | str) -> pd.DataFrame:
    """Returns how often each model reaches its goals, random and oracle planners included.

    Returns:
        A row for each origin (`FIRST`, `LAST`), goal and planner with `success_rate`, its 95 % Wilson interval `ci_low`
        and `ci_high`, and `n`, the planning problems behind it.
    """
    rates = _figures(store, "planning", ["goal", "planner", "value", *INTERVAL])
    rates = rates[rates.metric == "success_rate"].rename(columns={"value": "success_rate"})
    return _table(rates, ["goal", "planner"], ["success_rate", *INTERVAL])


def planning_against_compute(store: Store | str) -> pd.DataFrame:
    """Returns what planners reach and lose beside the seconds that a decision takes them.

    Returns:
        A row for each origin (`FIRST`, `LAST`), goal, offset and planner with `success_rate` and its interval `ci_low`
        and `ci_high`, `regret` and `normalised_regret` in final distance, `plan_seconds` of a decision, and `n`, the
        planning problems behind it.
    """
    figures = _figures(store, "planning", [*PLANNED, "quantity", "value", *INTERVAL])
    figures = figures[figures.metric.isin(COSTING) & (figures.quantity.fillna("final_distance") == "final_distance")]
    by = [*FIRST, *PLANNED, *LAST]
    figures["group"] = figures.groupby(by, dropna=False).ngroup()
    wide = figures.pivot_table(index="group", columns="metric", values="value").reindex(columns=COSTING)
    rates = figures[figures.metric == "success_rate"].drop_duplicates("group").set_index("group")
    return _table(rates.join(wide), PLANNED, ["success_rate", "ci_low", "ci_high", *COSTING[1:], "n"])


def probe_error_by_quantity(store: Store | str) -> pd.DataFrame:
    """Returns how well probes read each physical quantity from the encoder's latents of single frames.

    Returns:
        A row for each origin (`FIRST`, `LAST`), quantity and probe with the columns `mse`, `pearson_r` and `r2`.
    """
    return _probed(select(_figures(store, "probing", [*PROBED, *READ, "value", "created_at"]), MAIN), PROBED)


def probe_error_by_latents(store: Store | str) -> pd.DataFrame:
    """Returns how well probes read the quantities from all that was probed: predictions, several frames, baselines.

    Returns:
        A row for each origin (`FIRST`, `LAST`), quantity, probe, `latents`, number of `frames` and of `blocks_ahead`
        with the columns `mse`, `pearson_r` and `r2`. Rows of versions before 3 are of `encoder`, 1 and 0.
    """
    figures = _figures(store, "probing", [*PROBED, *READ, "value", "created_at"])
    figures = figures.fillna({"latents": "encoder", "frames": 1, "blocks_ahead": 0})
    return _probed(figures, [*PROBED, *READ])


def _probed(figures: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    # Rows of one unit of work share the moment at which it was written.
    figures = figures.assign(group=figures.groupby([*FIRST, *by, *LAST, "created_at"], dropna=False).ngroup())
    wide = figures.pivot(index="group", columns="metric", values="value").reindex(columns=["mse", "pearson_r", "r2"])
    return _table(figures.drop_duplicates("group").set_index("group").join(wide), by, list(wide.columns))


def surprise_by_perturbation(store: Store | str) -> pd.DataFrame:
    """Returns how well a model's surprise tells perturbed episodes from untouched ones.

    Returns:
        A row for each origin (`FIRST`, `LAST`) and shift with `auroc`, `ci_low` and `ci_high`, the perturbation's mean
        `strength` and `n`, the episodes.
    """
    aurocs = _figures(store, "surprise", ["shift", "score", "blocks_ahead", "value", "strength", *INTERVAL])
    # Rows of earlier versions know no other surprise and say nothing of it.
    main = (aurocs.score.fillna("raw") == "raw") & (aurocs.blocks_ahead.fillna(1) == 1)
    aurocs = aurocs[main & (aurocs.metric == "auroc")].rename(columns={"value": "auroc"})
    return _table(aurocs, ["shift"], ["auroc", "ci_low", "ci_high", "strength", "n"])


def dose_response(store: Store | str) -> pd.DataFrame:
    """Returns how surprise at an event grows with its strength.

    Returns:
        A row for each origin (`FIRST`, `LAST`), shift, `score`, `blocks_ahead` and strength, the untouched episodes at
        strength 0, with `detection_rate`, the share of events that raised an alarm, `auroc`, the ends of their 95 %
        intervals, `strength_unit`, `principle`, `physical` and `n`, the episodes.
    """
    doses = read_table(store, "doses", columns=[*FIRST, *LAST, *DOSED, *DOSES]).compute()
    return _table(doses, DOSED, DOSES)


def _figures(store: Store | str, kind: str, columns: list[str]) -> pd.DataFrame:
    """Returns these and the common columns of one kind's figures, reading no file and no column beside."""
    wanted = [*FIRST, *LAST, "evaluation", "metric", *columns]
    metrics = read_table(store, "metrics", columns=wanted, kinds=[kind])
    found: pd.DataFrame = metrics[metrics.evaluation == kind].compute()
    return found


def _table(rows: pd.DataFrame, by: list[str], figures: list[str]) -> pd.DataFrame:
    """Returns the columns of a query in their order, the rows sorted by what tells them apart."""
    rows = rows.assign(run=rows.run.where(rows.model_digest.isna()))[[*FIRST, *by, *figures, *LAST]]
    return rows.sort_values([*FIRST, *by, *LAST], ignore_index=True, na_position="first").rename_axis(columns=None)
