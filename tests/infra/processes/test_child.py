"""A server in a process of its own: its address, its environment, its end, and the sentence if it does not start."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.errors import InfraError
from infra.processes.child import child_server
from tests.conftest import ROOT

SERVER = """
import os, sys, threading
sys.path.insert(0, {root!r})
from infra.processes.child import end_with_parent

def stop():
    open("stopped", "w").close()

end_with_parent(stop if os.environ.get("POLITE") else None)
print("http://here", os.getpid(), os.environ.get("COLOUR", "none"), flush=True)
threading.Event().wait()
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules a child finds: `server`, one that fails, and one that says nothing."""
    (tmp_path / "server.py").write_text(SERVER.format(root=str(ROOT)))
    (tmp_path / "broken.py").write_text("raise RuntimeError('port taken')")
    (tmp_path / "mute.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_gone(process: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not psutil.pid_exists(process)


def test_it_gives_its_address_and_ends_with_the_block(modules: Path) -> None:
    with child_server("server", "a server", {"COLOUR": "red"}) as line:
        address, process, colour = line.split()
        assert (address, colour) == ("http://here", "red") and psutil.pid_exists(int(process))
    assert is_gone(int(process)) and "COLOUR" not in os.environ


def test_it_may_finish_before_it_ends(modules: Path) -> None:
    with child_server("server", "a server", {"POLITE": "1"}) as line:
        process = int(line.split()[1])
    assert is_gone(process) and (modules / "stopped").exists()


def test_an_exception_in_the_block_ends_it_too(modules: Path) -> None:
    with pytest.raises(ZeroDivisionError), child_server("server", "a server") as line:
        raise ZeroDivisionError
    assert is_gone(int(line.split()[1]))


@pytest.mark.parametrize(("module", "reason"), [("broken", "RuntimeError: port taken"), ("mute", "it said nothing")])
def test_a_server_that_does_not_start_is_a_sentence(modules: Path, module: str, reason: str) -> None:
    with pytest.raises(InfraError, match=rf"the cache did not start \({reason}\)"), child_server(module, "the cache"):
        raise AssertionError(f"{sys.executable} served")
