"""The records of processes are kept, read back and, once the processes have ended, garbage."""

from datetime import timedelta

import pytest

from infra.processes.identity import this_process
from infra.storage import Store
from infra.work_log import ProcessRecord, RayRecord, utc_now
from pipelines.store.garbage import delete_garbage, find_garbage
from pipelines.store.logs import job_statuses
from pipelines.store.processes import ROOT, process_records, write_process


def record(name: str, **fields: object) -> ProcessRecord:
    now = utc_now()
    known = {"id": name, "what": "command collect", "status": "running", "process": this_process(), "user": 0}
    return ProcessRecord.model_validate({**known, "started": now, "heartbeat": now, **fields})


def test_records_are_read_back_and_what_is_none_is_left_out(store: Store) -> None:
    ray = RayRecord(cluster="session_1", address="127.0.0.1:1", job="01", namespace="n")
    later = utc_now() + timedelta(seconds=5)
    second = record("b", started=utc_now() - timedelta(seconds=5), ray=ray, children=(this_process(),))
    for one in (record("a", started=later), second):
        write_process(store, one)
    store.write(f"{ROOT}/damaged.json", b"{")
    store.write(f"{ROOT}/renamed.json", second.model_dump_json().encode())
    found = process_records(store)
    assert [one.id for one in found] == ["b", "a"] and found[0] == second
    assert job_statuses(store, utc_now()) == []


def test_records_of_the_ended_are_garbage_after_a_day_and_others_never(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_process(store, record("works", heartbeat=utc_now() - timedelta(days=30)))
    for status in ("done", "failed", "interrupted", "lost"):
        write_process(store, record(status, status=status))
    assert find_garbage(store, timedelta(days=1)).garbage == ()
    a_minute_ahead = timedelta(seconds=-60)
    assert find_garbage(store, a_minute_ahead).garbage == ()
    monkeypatch.setattr("pipelines.store.garbage.RECORDS_STAY", a_minute_ahead)
    sweep = find_garbage(store, a_minute_ahead)
    assert {one.why for one in sweep.garbage} == {"ended process"} and len(sweep.garbage) == 4
    delete_garbage(store, sweep)
    assert [one.id for one in process_records(store)] == ["works"]
