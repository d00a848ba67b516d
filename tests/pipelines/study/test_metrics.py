"""Cells on Ray: the rows of one process, a cell done again where it failed, and what Prometheus finds of both."""

from pathlib import Path

import pandas as pd
import pytest

from infra.storage import open_store
from pipelines.store.reports import UnitManifest, read_table
from pipelines.study import CellUnit, StudyConfig, do_cell, study
from pipelines.study import job as job_module
from tests.scraped import exported, wait_for_metrics

GRID = ({"experiment": "bridge", "rho": [0.5, 0.8]}, {"experiment": "tradeoff", "samples": 50, "seed": [0, 1]})
WHEN = ["created_at", "seconds", "run"]


def rows(folder: Path) -> pd.DataFrame:
    """Returns the table without what says when and for whom it was made."""
    frame = read_table(str(folder), "study_generalization").compute().drop(columns=WHEN)
    return pd.DataFrame(frame.sort_values(list(frame.columns), ignore_index=True))


@pytest.mark.slow
@pytest.mark.ray
def test_ray_gives_the_rows_of_one_process_and_exports_the_metrics(
    tmp_path: Path, ray_cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "failed"

    def fail_once(unit: CellUnit) -> UnitManifest:
        if not mark.exists():
            mark.touch()
            raise OSError("once")
        return do_cell(unit)

    def asked(**changes: object) -> StudyConfig:
        return StudyConfig.model_validate({"study": "generalization", "grid": GRID, **changes})

    here, there = tmp_path / "here", tmp_path / "there"
    study(asked(executor="local"), open_store(str(here)))
    # Here it runs in this process, which is connected to Ray: the driver's metrics are those of any executor.
    monkeypatch.setattr(job_module, "do_cell", fail_once)
    study(asked(executor="local", run="measured"), open_store(str(tmp_path / "measured")))
    monkeypatch.undo()
    study(asked(executor="ray", workers=2), open_store(str(there)))
    pd.testing.assert_frame_equal(rows(there), rows(here))
    found = wait_for_metrics("generalization", exported("jepa_study_"))
    assert found["ray_jepa_study_retries_total"] >= 1 and found["ray_jepa_study_cells_total"] >= 8
