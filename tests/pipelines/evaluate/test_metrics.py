"""What an evaluation gives to Ray's metrics."""

import shutil
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.evaluate import evaluate
from pipelines.evaluate import job as job_module
from pipelines.evaluate.unit import EvaluationUnit, UnitDone, do_unit
from pipelines.pretrain import PretrainConfig, pretrain
from tests.pipelines.evaluate.asked import config
from tests.scraped import exported, wait_for_metrics


@pytest.mark.slow
@pytest.mark.ray
def test_ray_exports_them(
    small_store: Path, tmp_path: Path, ray_cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every listed metric of an evaluation, of which one unit was done again; its driver is connected to Ray."""
    store, mark = open_store(str(shutil.copytree(small_store, tmp_path / "store"))), tmp_path / "failed"
    fields = {"dataset": "d0", "name": "measured", "recipe": "smoke", "steps": 5, "executor": "local", "workers": 1}
    pretrain(PretrainConfig.model_validate(fields), store)

    def fail_once(unit: EvaluationUnit) -> UnitDone:
        if not mark.exists():
            mark.touch()
            raise OSError("once")
        return do_unit(unit)

    monkeypatch.setattr(job_module, "do_unit", fail_once)
    units = len(evaluate(config(model="measured", kinds=["planning"]), store).units)
    counted = {"ray_jepa_evaluate_units_total": float(units), "ray_jepa_evaluate_retries_total": 1.0}
    found = wait_for_metrics("measured", exported("jepa_evaluate_"), counted)
    assert found["ray_jepa_evaluate_planner_seconds_count"] >= 4 * units  # problems, each planned once or more
    assert found["ray_jepa_evaluate_planner_seconds_sum"] > 0
    wait_for_metrics("evaluate-measured", exported("jepa_run_"))
