"""What tests ask of README's study, and its rows as they read them."""

from typing import Any

import pandas as pd

from infra.storage import Store
from pipelines.store.reports import read_table
from pipelines.study import StudyConfig


def config(**changes: Any) -> StudyConfig:
    """Returns the study in this process."""
    return StudyConfig.model_validate({"study": "sample_mean", "executor": "local"} | changes)


def rows(store: Store | str, table: str = "study_sample_mean") -> pd.DataFrame:
    """Returns a table without what says when and how fast it was made, in an order of its own."""
    frame = read_table(store, table).compute().drop(columns=["created_at", "seconds"], errors="ignore")
    keys = [name for name in ("experiment", "size", "seed", "metric", "claim") if name in frame]
    return pd.DataFrame(frame.sort_values(keys, ignore_index=True))
