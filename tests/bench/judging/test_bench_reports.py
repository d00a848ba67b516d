"""The benchmark of reports asks a store that reads like one that was evaluated."""

from pathlib import Path

from infra.storage import open_store
from pipelines.reports import success_by_world_and_model
from pipelines.store.reports.verify import verify_reports
from tests.bench.judging.bench_reports import write_runs


def test_every_run_of_the_made_up_store_is_found(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    assert write_runs(store, 3) == 18
    assert set(success_by_world_and_model(store).model) == {"m0", "m1", "m2"}
    assert verify_reports(store).ok
