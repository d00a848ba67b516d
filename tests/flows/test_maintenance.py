"""The flow `maintenance` lists what belongs to nothing, does what it is asked to, and says so on its page."""

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.maintenance import MaintenanceConfig, maintenance
from infra.processes.identity import this_process
from infra.storage import open_store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import process_records, write_process
from tests.flows.conftest import Ask

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

LEFT = "datasets/d9/versions/000001/plan.json"


def test_it_lists_at_first_and_then_does_what_it_is_asked_to(
    prefect_server: dict[str, str], ask: Ask, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path))
    now, dead = utc_now(), dataclasses.replace(this_process(), started="1")
    known: dict[str, Any] = {"id": "a", "what": "command collect", "status": "running", "process": dead, "user": 0}
    write_process(store, ProcessRecord(**known, started=now, heartbeat=now))
    store.write(LEFT, b"left")
    week = time.time() - 8 * 86400
    os.utime(tmp_path / LEFT, (week, week))

    def run(**fields: Any) -> tuple[dict[str, int], str]:
        with temporary_settings({PREFECT_API_URL: prefect_server["PREFECT_API_URL"]}):
            found = maintenance(MaintenanceConfig(**fields), store.uri)
        left = ask("artifacts/filter", {"artifacts": {"key": {"any_": ["maintenance"]}}, "sort": "CREATED_DESC"})
        return found, left[0]["data"]

    def status() -> str:
        return {record.id: record.status for record in process_records(store)}["a"]

    found, page = run()
    assert found == {"orphans": 1, "files": 1} and status() == "running" and store.exists(LEFT)
    assert "Orphans found" in page and "command collect" in page and f"no committed version: {LEFT}" in page
    found, page = run(end_orphans=True)
    assert found == {"orphans": 1, "files": 1} and status() == "lost" and store.exists(LEFT)
    assert "Orphans ended" in page and "; closed" in page and "Files found" in page
    found, page = run(end_orphans=True, delete_garbage=True)
    assert found == {"orphans": 0, "files": 1} and not store.exists(LEFT) and "Files deleted" in page
