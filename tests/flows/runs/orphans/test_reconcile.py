"""What has no living parent is found and ended; a bystander of any kind survives."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.cli.main import main
from flows.runs.orphans import Reconciliation, reconcile
from infra.processes.descendants import MARK
from infra.processes.identity import ProcessIdentity, process_of, this_process
from infra.ray_cluster.local import OWNER, PREFIX
from infra.storage import Store, open_store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import process_records, write_process
from tests.conftest import ROOT
from tests.flows.conftest import wait_for
from tests.flows.jobs import alive_after

TEN_MINUTES = timedelta(minutes=10)
RUN = """
import subprocess, sys, time
from flows.runs.process_record import recorded_process
with recorded_process(sys.argv[1], "command test"):
    print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
    time.sleep(600)
"""
"""A run that starts a process, which does not end with it."""


class Run:
    """A recorded process and its child."""

    def __init__(self, store: Store) -> None:
        known = {record.id for record in process_records(store)}
        command = [sys.executable, "-c", RUN, store.uri]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.child = psutil.Process(int(self.process.stdout.readline()))

        def written() -> ProcessRecord | None:
            return next((record for record in process_records(store) if record.id not in known), None)

        self.record: ProcessRecord = wait_for(written, "the record")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self.child.is_running():
            self.child.kill()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def runs(store: Store) -> Iterator[list[Run]]:
    """Two runs that work."""
    started = [Run(store)]
    started.append(Run(store))
    yield started
    for run in started:
        run.close()


def ended_process() -> ProcessIdentity:
    """Returns a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = process_of(process.pid)
    process.communicate()
    assert identity is not None
    return identity


def kinds(result: Reconciliation) -> list[tuple[str, str]]:
    return [(one.kind, one.name.split(" ")[0]) for one in result.orphans]


def test_what_a_killed_run_left_is_ended_and_nothing_else(store: Store, runs: list[Run]) -> None:
    killed, living = runs
    # Another process has the number that a dead one had; a foreign one carries the mark of nobody that is known.
    reused = dataclasses.replace(living.record.process, started="1")
    copied = {"process": reused, "children": (process_of(living.child.pid),)}
    write_process(store, killed.record.model_copy(update={"id": "f" * 32, **copied}))
    foreign = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=os.environ | {MARK: "e" * 32}
    )
    try:
        assert [one.kind for one in reconcile(store, TEN_MINUTES, act=False).orphans] == ["record"]  # of number reused
        killed.kill()
        result = reconcile(store, TEN_MINUTES, act=False)
        assert kinds(result)[0] == ("process", str(killed.child.pid)) and len(result.orphans) == 3
        run = f"command test (process {killed.process.pid} on {killed.record.process.host})"
        assert result.orphans[0].why == f"{run} has ended, which started it"
        assert killed.child.is_running() and not any(one.done for one in result.orphans)
        result = reconcile(store, TEN_MINUTES, act=True)
        assert len(result.orphans) == 3 and all(one.done for one in result.orphans) and result.left_out == ()
        assert alive_after([killed.child], 60) == []
        assert foreign.poll() is None and living.process.poll() is None and living.child.is_running()
        assert reconcile(store, TEN_MINUTES, act=True) == Reconciliation()
        status = {record.id: record.status for record in process_records(store)}
        assert status[killed.record.id] == "lost" and status[living.record.id] == "running"
    finally:
        foreign.communicate(b"\n")


def test_another_machine_s_run_is_known_by_its_heartbeat_and_its_processes_are_left(
    store: Store, runs: list[Run]
) -> None:
    living = runs[0]
    elsewhere = dataclasses.replace(living.record.process, host="elsewhere", started="1")
    children = (process_of(living.child.pid),)
    silent, works = utc_now() - timedelta(minutes=11), utc_now() - timedelta(minutes=9)
    for name, heartbeat in (("a", silent), ("b", works)):
        changes: dict[str, Any] = {"id": name, "process": elsewhere, "heartbeat": heartbeat, "children": children}
        write_process(store, living.record.model_copy(update=changes))
    result = reconcile(store, TEN_MINUTES, act=True)
    assert [(one.kind, one.name, one.done) for one in result.orphans] == [("record", "a", "closed")]
    assert "on elsewhere) has been silent for 11 minutes" in result.orphans[0].why
    assert len(result.left_out) == 1 and f"processes {living.child.pid}" in result.left_out[0]
    assert living.process.poll() is None and living.child.is_running()


def test_a_record_that_is_renewed_is_that_of_a_living_run_whatever_its_clock_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = {"status": "running", "user": os.getuid(), "started": utc_now(), "what": "command collect"}
    far = dataclasses.replace(this_process(), host="far")

    def beat(minutes: float) -> None:
        fields = {**behind, "id": "a", "process": far, "heartbeat": utc_now() - timedelta(minutes=minutes)}
        write_process(store, ProcessRecord.model_validate(fields))

    beat(60)
    with monkeypatch.context() as clock:
        clock.setattr("flows.runs.orphans.lives.time.sleep", lambda seconds: beat(59.9))
        assert reconcile(store, TEN_MINUTES, act=True) == Reconciliation()
    assert [one.done for one in reconcile(store, TEN_MINUTES, act=True).orphans] == ["closed"]


def test_another_user_s_process_is_known_by_its_heartbeat(store: Store) -> None:
    """A system may hide it, and then it looks as if it had ended."""
    now, fields = utc_now(), {"id": "a", "what": "command collect", "status": "running", "user": os.getuid() + 1}
    hidden = {**fields, "process": ended_process(), "started": now, "heartbeat": now}
    write_process(store, ProcessRecord.model_validate(hidden))
    assert reconcile(store, TEN_MINUTES, act=True) == Reconciliation()


def test_who_writes_to_the_store_cannot_have_a_living_run_s_processes_ended(store: Store, runs: list[Run]) -> None:
    """The record of a living run is replaced by one that says it had ended."""
    living = runs[0]
    forged = {"process": ended_process(), "what": "\x1b[2J"}
    write_process(store, living.record.model_copy(update=forged))
    result = reconcile(store, TEN_MINUTES, act=True)
    assert "process" not in [one.kind for one in result.orphans] and living.child.is_running()
    assert "\x1b" not in "".join(result.lines())


def test_what_a_run_that_ended_well_has_left_stays(store: Store, runs: list[Run]) -> None:
    ended = runs[0]
    ended.kill()
    write_process(store, ended.record.model_copy(update={"status": "done"}))
    assert reconcile(store, TEN_MINUTES, act=True) == Reconciliation() and ended.child.is_running()


def test_a_local_ray_is_ended_once_its_owner_is_gone(store: Store, rays: Path) -> None:
    owners = {"dead": ended_process(), "living": this_process(), "far": dataclasses.replace(this_process(), host="far")}
    for name, owner in owners.items():
        (rays / f"{PREFIX}{name}").mkdir()
        (rays / f"{PREFIX}{name}" / OWNER).write_text(json.dumps(asdict(owner)))
    (rays / f"{PREFIX}unnamed").mkdir()
    dead = rays / f"{PREFIX}dead"
    assert [one.name for one in reconcile(store, TEN_MINUTES, act=False).orphans] == [str(dead)] and dead.exists()
    result = reconcile(store, TEN_MINUTES, act=True)
    assert [one.done for one in result.orphans] == ["ended, and its folder removed"]
    assert sorted(folder.name for folder in rays.iterdir()) == [
        f"{PREFIX}{name}" for name in ("far", "living", "unnamed")
    ]


def test_the_command_lists_and_ends(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gc", "--orphans", "--store", store.uri]
    assert main(arguments) == 0 and capsys.readouterr().out == "nothing to end\n"
    now = utc_now()
    write_process(
        store,
        ProcessRecord(
            id="a",
            what="command collect",
            status="running",
            process=ended_process(),
            user=os.getuid(),
            started=now,
            heartbeat=now,
        ),
    )
    assert main(arguments) == 0
    assert "1 orphans would be ended; give --yes to end them" in capsys.readouterr().out
    assert main([*arguments, "--yes", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ended"] == 1 and answer["orphans"][0]["done"] == "closed"
    assert main(arguments) == 0 and capsys.readouterr().out == "nothing to end\n"


def test_what_cannot_be_asked_for_is_said_and_looked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = utc_now()
    gone: dict[str, Any] = {
        "process": ended_process(),
        "user": os.getuid(),
        "started": now,
        "heartbeat": now - timedelta(hours=1),
    }
    ray = {"cluster": "session_1", "address": "127.0.0.1:1", "job": "01", "namespace": "n", "submission": "raysubmit_1"}
    started: dict[str, dict[str, Any]] = {"a": {"flow_run": "2f1c3d9e-0000-4000-8000-000000000000"}, "b": {"ray": ray}}
    for name, fields in started.items():
        write_process(
            store, ProcessRecord.model_validate({"id": name, "what": "x", "status": "running", **gone, **fields})
        )
    for _ in range(2):
        result = reconcile(store, TEN_MINUTES, act=True)
        assert result.orphans == () and len(result.left_out) == 2
        said = " ".join(result.left_out)
        assert "raysubmit_1" in said and "or RAY_ADDRESS to" in said and "set PREFECT_API_URL" in said
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert any(
        "no Ray cluster answers" in one or "does not answer" in one
        for one in reconcile(store, TEN_MINUTES, act=True).left_out
    )
