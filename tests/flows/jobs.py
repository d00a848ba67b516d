"""Whole jobs as a user starts them, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import ROOT


def command(*arguments: str) -> list[str]:
    """Returns the command line of `jepa`."""
    return [sys.executable, "-m", "flows.cli.main", *arguments]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Returns the environment of a user whose Prefect keeps its database in `home`."""
    return os.environ | {"PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT)} | variables


def finished(
    arguments: list[str], home: Path, seconds: float = 1100, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs `jepa` to its end, away from the checkout."""
    return subprocess.run(
        command(*arguments),
        cwd=home,
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def interrupted(arguments: list[str], home: Path, when: str, patience: float = 60) -> tuple[int, str, list[str]]:
    """Runs `jepa` until a line of its progress contains `when`, then does what Ctrl-C in a terminal does.

    Returns:
        The exit status, what was printed on stderr, and the names of the processes that are left after some patience.
    """
    process = subprocess.Popen(
        command(*arguments),
        cwd=home,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        shown = ""
        for line in process.stderr:
            shown += line
            if when in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        shown += process.stderr.read()
        status = process.wait(patience)
        return status, shown, [child.name() for child in alive_after(children, patience)]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def children_of(process: "subprocess.Popen[Any]") -> list[psutil.Process]:
    """Returns the processes below one that was started here; none where it has ended."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def alive_after(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    """Returns which processes still run after `patience` seconds; those that ended are not waited for longer."""
    deadline = time.monotonic() + patience
    alive = [process for process in processes if _is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.2)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
