"""A local Ray's private folder: who may enter it, and what becomes of it and of what works in it."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from infra.processes.identity import ProcessIdentity, this_process
from infra.ray_cluster.local import OWNER, PREFIX, clear, ray_session, remove_abandoned

HOLDER = "import sys, time; log = open(sys.argv[1], sys.argv[2]); print('up', flush=True); time.sleep(300)"


@pytest.fixture(autouse=True)
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with a short name, in which the folders are made."""
    parent = Path("/tmp") / f"t{os.getpid()}"
    parent.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(parent))
    yield parent
    clear(parent)


@pytest.fixture
def hold() -> Iterator[Callable[[Path, str], psutil.Process]]:
    """Starts a process that keeps a file open until it is ended."""
    started = []

    def start(path: Path, mode: str) -> psutil.Process:
        process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path), mode], stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        return psutil.Process(process.pid)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def left_by(parent: Path, owner: ProcessIdentity) -> Path:
    """Returns a folder as a process leaves it that is killed."""
    folder = parent / f"{PREFIX}left"
    (folder / "r" / "session").mkdir(parents=True)
    (folder / "r" / "session" / "raylet.out").touch()
    (folder / OWNER).write_text(json.dumps(asdict(owner)))
    return folder


def is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def gone() -> ProcessIdentity:
    return replace(this_process(), started="1")  # our number, given to another process before


def test_only_its_owner_may_enter_and_nothing_stays(parent: Path) -> None:
    with ray_session() as session:
        token = Path(session.variables["RAY_AUTH_TOKEN_PATH"])
        assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700 and session.folder.parent == parent
        assert stat.S_IMODE(token.stat().st_mode) == 0o600 and len(token.read_text()) == 64
        first = token.read_text()
        assert first not in str(session.variables)
    with ray_session() as session:
        assert Path(session.variables["RAY_AUTH_TOKEN_PATH"]).read_text() != first
    assert list(parent.iterdir()) == []


def test_a_long_name_leaves_room_for_a_socket(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(parent / ("long" * 20)))
    with ray_session() as session:
        assert session.folder.parent == Path("/tmp")
    assert not session.folder.exists()


def test_what_writes_in_it_ends_with_it_and_who_reads_does_not(
    parent: Path, hold: Callable[[Path, str], psutil.Process]
) -> None:
    elsewhere = parent / "elsewhere"
    with ray_session() as session:
        (session.folder / "log").touch()
        writer, reader = hold(session.folder / "log", "a"), hold(session.folder / "log", "r")
        other = hold(elsewhere, "w")
    assert is_over(writer) and not is_over(reader) and not is_over(other)
    assert list(parent.iterdir()) == [elsewhere]


def test_the_next_run_removes_what_a_killed_one_left(parent: Path, hold: Callable[[Path, str], psutil.Process]) -> None:
    folder = left_by(parent, gone())
    writer = hold(folder / "r" / "session" / "raylet.out", "a")
    with ray_session() as session:
        assert list(parent.iterdir()) == [session.folder] and is_over(writer)


@pytest.mark.parametrize("owner", [this_process(), replace(this_process(), machine="another", pid=1)])
def test_a_living_or_unseen_owner_keeps_its_folder(parent: Path, owner: ProcessIdentity) -> None:
    folder = left_by(parent, owner)
    remove_abandoned(parent)
    assert (folder / "r" / "session" / "raylet.out").exists()


def test_nothing_else_is_ever_removed(parent: Path) -> None:
    (parent / "precious").mkdir()
    left_by(parent / "precious", gone()).rename(parent / "mine")
    (parent / f"{PREFIX}link").symlink_to(parent / "mine")
    (parent / f"{PREFIX}nobody").mkdir()
    (parent / f"{PREFIX}garbled").mkdir()
    (parent / f"{PREFIX}garbled" / OWNER).write_text("{")
    before = sorted(parent.rglob("*"))
    remove_abandoned(parent)
    assert sorted(parent.rglob("*")) == before


OWNER_SCRIPT = """
import subprocess, sys, time
from infra.ray_cluster.local import ray_session
with ray_session() as session:
    log = open(session.folder / "log", "w")
    agent = subprocess.Popen(["sleep", "300"], stdout=log, start_new_session=True)
    print(agent.pid, flush=True)
    time.sleep(300)
"""


def test_a_killed_owner_takes_everything_with_it(parent: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER_SCRIPT], stdout=subprocess.PIPE, start_new_session=True)
    assert owner.stdout is not None
    agent = psutil.Process(int(owner.stdout.readline()))
    time.sleep(1.5)  # the watchdog starts
    os.killpg(owner.pid, signal.SIGKILL)
    owner.communicate()
    deadline = time.monotonic() + 20
    while (list(parent.iterdir()) or not is_over(agent)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(parent.iterdir()) == [] and is_over(agent)
