"""The leaderboard of a store: a row for each world, set-up, model and planner, as a table and as a Parquet file."""

import pandas as pd
import pyarrow as pa

from infra.storage import Store
from pipelines.reports.selection import grouped
from pipelines.store.parquet import parquet_bytes
from pipelines.store.reports import read_table

PATH = "reports/leaderboard.parquet"
SETTING = [
    *("world", "dataset", "dataset_version", "protocol", "split", "goal", "offset", "success_kind", "seed"),
    *("dataset_digest", "protocol_digest", "evaluation_version", "problems_digest"),
]
"""What rows have to have in common to be ranked together; `seed` is that of the evaluation."""
ENTRY = ["model", "model_digest", "planner", "privileged"]
"""Who is ranked."""
FIGURES = ("success_rate", "regret", "normalised_regret")
"""Metrics with an interval; regrets are those in final distance."""
COLUMNS = [
    *SETTING[:9],
    *ENTRY,
    *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")),
    *("plan_seconds", "n", "unit"),
    *SETTING[9:],
    *("created_at", "code_version"),
]
"""Columns of the leaderboard, in order; `unit` is that of the regret."""


def leaderboard(store: Store) -> pd.DataFrame:
    """Returns the leaderboard: what differs in anything but the model and the planner is in other rows, never pooled.

    Checkpoints of a training are not in it, and neither are datasets with factors that training did not contain. Where
    a unit was evaluated under several runs it is one row; of two that differ in nothing the newer stands.

    Returns:
        The columns `COLUMNS`: within one setting the most successful model and planner first.
    """
    figures = ["evaluation", "metric", "quantity", "value", "ci_low", "ci_high", "n", "unit"]
    wanted = [*SETTING, *ENTRY, *figures, "created_at", "code_version"]
    rows = read_table(store, "metrics", columns=wanted, kinds=["planning"]).compute()
    rows = rows[(rows.evaluation == "planning") & rows.metric.isin([*FIGURES, "plan_seconds"])]
    rows = rows[rows.quantity.fillna("final_distance") == "final_distance"].sort_values("created_at")
    rows["group"] = rows.groupby([*SETTING, *ENTRY], dropna=False).ngroup()
    table = _newest(rows)[[*SETTING, *ENTRY, "created_at", "code_version"]]
    for name in FIGURES:
        own = _newest(rows[rows.metric == name])
        table = table.join(own[["value", "ci_low", "ci_high"]].set_axis([name, f"{name}_low", f"{name}_high"], axis=1))
    for metric, column, name in (
        ("plan_seconds", "value", "plan_seconds"),
        ("success_rate", "n", "n"),
        ("regret", "unit", "unit"),
    ):
        table[name] = _newest(rows[rows.metric == metric])[column]
    table = table.astype({"n": "Int64"})[table.success_rate.notna()]
    return _ranked(table)[COLUMNS].reset_index(drop=True)


def write_leaderboard(store: Store) -> pd.DataFrame:
    """Writes the leaderboard as `reports/leaderboard.parquet`, in one step, and returns it."""
    table = leaderboard(store)
    store.write(PATH, parquet_bytes(pa.Table.from_pandas(table, preserve_index=False)))
    return table


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the last row of each group, by group."""
    return rows.drop_duplicates("group", keep="last").set_index("group")


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of one setting together, the most successful first."""
    by = ["success_rate", "regret", "model", "planner"]
    settings = [own.sort_values(by, ascending=[False, True, True, True]) for _, own in grouped(table, SETTING)]
    return pd.concat(settings) if settings else table
