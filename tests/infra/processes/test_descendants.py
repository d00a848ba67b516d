"""What a process has started is found by its mark, also once the process is gone, and ended; nothing else is."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.processes.descendants import MARK, command_of, descendants, end_processes, marked_processes
from infra.processes.identity import ProcessIdentity, is_running, process_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows other processes' environments")

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


class Child:
    """A process that waits, and what is known of it."""

    def __init__(
        self, mark: str | None = None, script: str = "import time; print(flush=True); time.sleep(600)"
    ) -> None:
        variables = {name: value for name, value in os.environ.items() if name != MARK}
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, env=variables | ({MARK: mark} if mark else {})
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        found = process_of(self.process.pid)
        assert found is not None
        self.identity: ProcessIdentity = found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """Processes that a test starts, which are ended with it."""
    started: list[Child] = []
    yield started
    for child in started:
        child.close()
        child.process.communicate()


def test_descendants_are_found_by_number_and_start(children: list[Child]) -> None:
    children.append(Child())
    assert children[0].identity in descendants()
    children[0].close()
    assert children[0].identity not in descendants()
    assert process_of(children[0].process.pid) is None


def test_a_mark_is_found_and_what_has_none_is_not(children: list[Child]) -> None:
    children += [Child("0123"), Child()]
    marked = marked_processes()
    assert marked[children[0].identity] == "0123" and children[1].identity not in marked
    assert command_of(children[0].identity).startswith(f"{sys.executable} -c")


def test_processes_are_ended_at_last_by_force_and_others_are_left(children: list[Child]) -> None:
    children += [Child(), Child(script=STUBBORN), Child()]
    willing, stubborn, bystander = children
    reused = dataclasses.replace(bystander.identity, started="1")
    elsewhere = dataclasses.replace(bystander.identity, host="elsewhere")
    end_processes([willing.identity, stubborn.identity, reused, elsewhere], grace=1)
    assert willing.process.wait(60) == -signal.SIGTERM and stubborn.process.wait(60) == -signal.SIGKILL
    assert is_running(bystander.identity)
    end_processes([willing.identity])  # has ended already
