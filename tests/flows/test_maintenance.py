"""The flow `maintenance` lists what belongs to nothing, does what it is asked to, and says so on its page."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.processes.identity import this_process
from infra.storage import open_store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import process_records, write_process
from tests.conftest import ROOT
from tests.flows.conftest import Ask

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

LEFT = "datasets/d9/versions/000001/plan.json"


RUNS = """
import json, sys
from flows.maintenance import MaintenanceConfig, maintenance
for line in sys.stdin:
    print(json.dumps(maintenance(MaintenanceConfig(**json.loads(line)), sys.argv[1])), flush=True)
"""
"""A process of its own, as a worker has for a flow run: it keeps talking to the server until it ends."""


@pytest.fixture
def runs(prefect_environment: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    rays = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # other tests start and kill local Rays in the machine's own
    process = subprocess.Popen(
        [sys.executable, "-c", RUNS, str(tmp_path)],
        cwd=ROOT,
        env=prefect_environment | {"RAY_TMPDIR": str(rays)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate()
    rays.rmdir()


def test_it_lists_at_first_and_then_does_what_it_is_asked_to(
    runs: "subprocess.Popen[str]", ask: Ask, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path))
    now, dead = utc_now(), dataclasses.replace(this_process(), started="1")
    known: dict[str, Any] = {"id": "a", "what": "command collect", "status": "running", "process": dead}
    write_process(store, ProcessRecord(**known, user=os.getuid(), started=now, heartbeat=now))
    store.write(LEFT, b"left")
    week = time.time() - 8 * 86400
    os.utime(tmp_path / LEFT, (week, week))

    def run(**fields: Any) -> tuple[dict[str, int], str]:
        assert runs.stdin is not None and runs.stdout is not None
        runs.stdin.write(json.dumps(fields) + "\n")
        runs.stdin.flush()
        found = json.loads(runs.stdout.readline())
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
