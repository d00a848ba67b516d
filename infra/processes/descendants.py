"""What a process has started, as another process finds it later: by a mark in the environment that all of it inherits.

A parent that is killed takes the tree with it: its children then belong to the init process. The mark stays. Only Linux
shows other processes' environments; elsewhere nothing is found.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from infra.processes.identity import ProcessIdentity, is_running, process_of, this_process

MARK = "STARTED_BY_JEPA"
"""Variable that names the process that started this one, and its record (`infra.work_log.ProcessRecord`)."""
GRACE_SECONDS = 5.0
"""How long processes have between SIGTERM and SIGKILL."""


def descendants() -> tuple[ProcessIdentity, ...]:
    """Returns the processes below this one that run now."""
    children: dict[int, list[int]] = {}
    for pid in _numbers():
        children.setdefault(_parent_of(pid), []).append(pid)
    found, todo = [], list(children.get(os.getpid(), ()))
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, ())
    identities = (process_of(pid) for pid in sorted(found))
    return tuple(identity for identity in identities if identity is not None)


def mark_of(record: str) -> dict[str, str]:
    """Returns the variable that marks what this process starts: the record's id, and which process this is."""
    this = this_process()
    return {MARK: f"{record}:{this.pid}:{this.started}"}


def read_mark(mark: str) -> tuple[str, ProcessIdentity] | None:
    """Returns the record's id and the process of this machine that a mark names; None where it is none of ours.

    Who can write to the store can change a record, but not what stands in the environment of a process.
    """
    record, _, rest = mark.partition(":")
    pid, _, started = rest.partition(":")
    return (record, replace(this_process(), pid=int(pid), started=started)) if pid.isdecimal() and started else None


def ancestors() -> set[int]:
    """Returns the numbers of the processes above this one."""
    found, pid = set[int](), os.getpid()
    while (pid := _parent_of(pid)) > 1 and pid not in found:
        found.add(pid)
    return found


def marked_processes() -> dict[ProcessIdentity, str]:
    """Returns the running processes of this user that carry a mark, with the mark; without this one."""
    found = {}
    for pid in _numbers():
        identity = process_of(pid)
        mark = _mark_in(pid)
        # Asked again: in between the system may have given the number to another process.
        if mark and identity is not None and pid != os.getpid() and is_running(identity):
            found[identity] = mark
    return found


def end_processes(processes: Sequence[ProcessIdentity], grace: float = GRACE_SECONDS) -> None:
    """Ends processes of this machine, at first by SIGTERM; one that has ended, or is not ours to end, is left out."""
    handles: dict[ProcessIdentity, int] = {}
    try:
        for process in processes:
            try:
                handles[process] = os.pidfd_open(process.pid)
            except OSError:
                continue
        # A handle means one process for good, so what is checked now is what gets the signal.
        ours = [process for process in handles if is_running(process)]
        _signal([handles[process] for process in ours], signal.SIGTERM)
        deadline = time.monotonic() + grace
        while (ours := [process for process in ours if is_running(process)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        _signal([handles[process] for process in ours], signal.SIGKILL)
    finally:
        for handle in handles.values():
            os.close(handle)


def command_of(process: ProcessIdentity) -> str:
    """Returns the command line of a process for people, at most 80 characters of it; empty where it cannot be read."""
    try:
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    line = " ".join(word for word in words if word)
    return line if len(line) <= 80 else f"{line[:77]}..."


def _signal(handles: Sequence[int], number: signal.Signals) -> None:
    for handle in handles:
        try:
            signal.pidfd_send_signal(handle, number)
        except OSError:
            continue


def _numbers() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _mark_in(pid: int) -> str:
    """Returns the mark that a process of this user was started with; empty where it has none or is somebody else's."""
    folder = Path(f"/proc/{pid}")
    start = f"{MARK}=".encode()
    try:
        if folder.stat().st_uid != os.getuid():
            return ""
        values = [one for one in (folder / "environ").read_bytes().split(b"\0") if one.startswith(start)]
    except OSError:
        return ""
    return values[0].removeprefix(start).decode(errors="replace") if values else ""
