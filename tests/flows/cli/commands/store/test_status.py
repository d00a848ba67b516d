"""`jepa status`: what runs, what is done and what failed, from the store alone."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import Store, open_store
from infra.work_log import JobRecord, UnitRecord, utc_now
from jepa.core.config import Config
from pipelines.executor import JobLog, UnitsError, run_units
from pipelines.store.logs import LogFolder
from tests.flows.cli.commands.small import COLLECT
from tests.pipelines.executor.units import fail_at_three


def failed_job(store: Store) -> None:
    """Leaves the log of a job one of whose units failed."""
    with (
        pytest.raises(UnitsError),
        JobLog(LogFolder(store, "evaluate", "m0"), Config(), lambda unit: f"u{unit}") as log,
    ):
        run_units(fail_at_three, range(4), retries=1, log=log)


def silent_job(store: Store, seconds: float, name: str = "d1") -> None:
    """Leaves the log of a job that was last heard from so many seconds ago, in the middle of a unit."""
    heard = utc_now() - timedelta(seconds=seconds)
    fields = {"name": name, "run": "r", "status": "running", "host": "node-7", "pid": 7}
    started = heard - timedelta(minutes=3)
    job = fields | {"kind": "collect", "config": {}, "started": started, "heartbeat": heard, "code_version": "0.1"}
    folder = LogFolder(store, "collect", name)
    folder.write_job(JobRecord.model_validate(job | {"total": 9, "done": 4}))
    folder.write_unit("part", UnitRecord.model_validate(fields | {"name": "part", "started": started}))


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["status", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_store_in_which_nothing_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--store", str(tmp_path / "s")) == [f"no job has run in {tmp_path / 's'} yet"]
    assert not (tmp_path / "s").exists()


def test_all_jobs_with_their_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(str(tmp_path))
    silent_job(store, 1)
    silent_job(store, 3600, "d2")
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    failed_job(store)
    header, *rows = shown(capsys, "--store", str(tmp_path))
    assert header.split() == ["job", "status", "units", "failed", "retries", "started", "time", "host", "what"]
    table = {row.split()[0]: row for row in rows if not row.startswith(" ")}
    assert list(table) == ["evaluate-m0", "collect-d0", "collect-d1", "collect-d2"]
    assert table["evaluate-m0"].split()[1:5] == ["failed", "3/4", "1", "1"] and "ValueError" in "".join(rows[:3])
    assert table["collect-d0"].split()[1] == "done" and "collect d0: 20/20 episodes (100 %)" in table["collect-d0"]
    assert table["collect-d1"].split()[1:3] == ["running", "4/9"] and "node-7" in table["collect-d1"]
    assert table["collect-d2"].split()[1] == "lost" and "3 min 0 s" in table["collect-d2"]
    answer = json.loads("\n".join(shown(capsys, "--store", str(tmp_path), "--json")))
    assert [(job["job"], job["status"]) for job in answer["jobs"]][1:] == [
        ("collect-d0", "done"),
        ("collect-d1", "running"),
        ("collect-d2", "lost"),
    ]
    assert answer["jobs"][1]["config"]["episodes"] == 20


def test_the_units_of_a_job_and_the_traceback_of_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(str(tmp_path))
    failed_job(store)
    lines = shown(capsys, "evaluate-m0", "--store", str(tmp_path))
    assert (
        lines[0].startswith("evaluate-m0: failed after") and lines[1] == "  3 of 4 units done, 1 failed, 1 tried again"
    )
    units = {line.split()[0]: line.split()[1:3] for line in lines if line.startswith("u")}
    assert units["u0"] == ["done", "0"] and units["u3"][0] == "failed"
    text = "\n".join(lines)
    assert "u3 failed (attempt 2, on " in text and f"all in {tmp_path}/logs/evaluate-m0/u3.json" in text
    assert "Traceback (most recent call last)" in text and "ValueError: three is no good" in text
    answer = json.loads("\n".join(shown(capsys, "m0", "--store", str(tmp_path), "--json")))
    failed = next(unit for unit in answer["units"] if unit["status"] == "failed")
    assert len(failed["failures"]) == 2 and "in fail_at_three" in failed["failures"][0]["traceback"]
    assert failed["log"] == f"{tmp_path}/logs/evaluate-m0/u3.json"


def test_a_unit_of_a_lost_job_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent_job(open_store(str(tmp_path)), 3600)
    lines = shown(capsys, "d1", "--store", str(tmp_path))
    assert lines[0].startswith("collect-d1: lost after 3 min 0 s") and any("last heard from" in line for line in lines)
    assert next(line for line in lines if line.startswith("part")).split()[1] == "lost"


def test_a_job_that_is_not_there_or_not_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(str(tmp_path))
    silent_job(store, 1)
    LogFolder(store, "evaluate", "d1").write_job(
        JobRecord.model_validate_json(store.read("logs/collect-d1/job.json")).model_copy(update={"kind": "evaluate"})
    )
    capsys.readouterr()
    assert main(["status", "d9", "--store", str(tmp_path)]) == 2
    assert "job 'd9' has left no log in store" in (err := capsys.readouterr().err) and "collect-d1" in err
    assert main(["status", "d1", "--store", str(tmp_path)]) == 2
    assert "may be several; choose one of: collect-d1, evaluate-d1" in capsys.readouterr().err
