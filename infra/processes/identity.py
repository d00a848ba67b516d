"""Which process this is, in words that another process can check: is it still running?"""

import os
import socket
import subprocess
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DEAD = ("Z", "X", "x")
"""States of a process that has ended, though nobody has asked for its exit status yet."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process among all that ever ran, on any machine."""

    host: str
    """name of the machine, for people"""
    machine: str
    """what tells apart two machines of one name, two boots of one machine, and two containers on it"""
    pid: int
    started: str
    """when it started: the system gives a number again to another process"""


def this_process() -> ProcessIdentity:
    """Returns the identity of this process."""
    return ProcessIdentity(socket.gethostname(), _machine(), os.getpid(), _started(os.getpid()) or "")


def process_of(pid: int) -> ProcessIdentity | None:
    """Returns the identity of the process that has a number now; None where none runs."""
    started = _started(pid)
    return None if started is None else ProcessIdentity(socket.gethostname(), _machine(), pid, started)


def is_running(process: ProcessIdentity) -> bool | None:
    """Returns whether a process still runs; None where it cannot be seen from here, for it is on another machine."""
    if (process.host, process.machine) != (socket.gethostname(), _machine()):
        return None
    return _started(process.pid) == process.started


@cache
def _machine() -> str:
    try:
        # A container sees only the processes of its own namespace.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{uuid.getnode():012x}"


def _started(pid: int) -> str | None:
    """Returns the time at which a running process started, as the system tells it; None where there is none."""
    try:
        # The command's name stands in brackets and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in DEAD else fields[19]
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    except OSError:
        return None


def _started_by_ps(pid: int) -> str | None:
    try:
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
