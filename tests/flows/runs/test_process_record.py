"""A process says in the store what it is and has started, that it lives, and how it ended; no store can stop it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.runs import process_record
from flows.runs.process_record import recorded_process
from infra.processes.descendants import MARK
from infra.processes.identity import process_of, this_process
from infra.storage import open_store
from infra.work_log import ProcessRecord
from pipelines.store.processes import process_records
from tests.flows.cli.commands.small import COLLECT
from tests.flows.conftest import wait_for


def the_record(store: Path) -> ProcessRecord | None:
    records = process_records(open_store(str(store)))
    return records[0] if records else None


def ended_record(store: Path) -> ProcessRecord:
    """Returns the record once it says how the process ended: its last write is waited for, but not for ever."""

    def look() -> ProcessRecord | None:
        record = the_record(store)
        return record if record is not None and record.status != "running" else None

    found: ProcessRecord = wait_for(look, "the end in the record")
    return found


def test_a_record_names_the_process_and_what_it_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_record, "HEARTBEAT_SECONDS", 0.05)
    with recorded_process(str(tmp_path), "flow test", flow_run="f0"):
        first = wait_for(lambda: the_record(tmp_path), "the record")
        child = subprocess.Popen(
            [sys.executable, "-c", "import os; print(os.environ['STARTED_BY_JEPA'], flush=True); input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert child.stdout is not None and child.stdout.readline().partition(":")[0] == first.id
            identity = process_of(child.pid)

            def seen() -> ProcessRecord | None:
                record = the_record(tmp_path)
                return record if record is not None and identity in record.children else None

            record = wait_for(seen, "the child in the record")
        finally:
            child.communicate("\n")
    assert record.process == this_process() and record.status == "running" and record.heartbeat > first.heartbeat
    assert (record.what, record.flow_run, record.user) == ("flow test", "f0", os.getuid())
    ended = ended_record(tmp_path)
    assert ended.status == "done" and ended.ended is not None and MARK not in os.environ


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), "failed"), (KeyboardInterrupt(), "interrupted")])
def test_a_record_says_how_the_process_ended(error: BaseException, status: str, tmp_path: Path) -> None:
    with pytest.raises(type(error)), recorded_process(str(tmp_path), "command test"):
        raise error
    record = ended_record(tmp_path)
    assert record.status == status and type(error).__name__ in record.error


def test_a_store_that_fails_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with recorded_process(str(tmp_path / "file"), "command test"):
        pass
    with recorded_process("ftp://nowhere", "command test"):
        pass


def test_a_command_leaves_its_record(tmp_path: Path) -> None:
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    record = ended_record(tmp_path)
    assert (record.what, record.status) == ("command collect", "done")
