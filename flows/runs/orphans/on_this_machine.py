"""What processes of this machine have left on it: local Rays and children."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from flows.runs.orphans.found import Found, Look, Orphan
from infra.processes.descendants import ancestors, command_of, end_processes, marked_processes, read_mark
from infra.processes.identity import ProcessIdentity, is_running
from infra.ray_cluster.local import abandoned, clear, session_parent

SHOWN = 10
"""Numbers of processes on another machine that a sentence lists."""


def ray_sessions(look: Look) -> Iterable[Found]:
    """Yields the folders of local Rays of this user whose owner was killed, wherever they are known to lie."""
    recorded = {life.record.ray.folder for life in look.ended if life.here and life.record.ray}
    parents = {session_parent(), *(Path(folder).parent for folder in recorded if folder)}
    for folder in sorted({folder for parent in parents for folder in abandoned(parent)}):
        orphan = Orphan(kind="ray session", name=str(folder), why="the process that started it has ended")
        yield Found(orphan, partial(_clear, folder))


def processes(look: Look) -> Iterable[Found]:
    """Yields the processes on this machine that carry the mark of a recorded process which was cut off.

    What a process that ended well has left was meant to stay: a daemon of git's, an agent that keeps keys.
    """
    cut_off = {life.record.id: life for life in look.ended if life.here and life.record.status != "done"}
    living, above = {life.record.process for life in look.lives if not life.ended}, ancestors()
    for process, mark in sorted(marked_processes().items(), key=lambda item: item[0].pid):
        record, parent = read_mark(mark) or ("", None)
        if parent is None or is_running(parent) is not False or process in living or process.pid in above:
            continue
        if life := cut_off.get(record):
            name = f"{process.pid} ({command_of(process)})"
            orphan = Orphan(kind="process", name=name, why=f"{life.why}, which started it")
            yield Found(orphan, partial(_end, process), record)
    for life in look.ended:
        if not life.here and life.record.status == "running" and life.record.children:
            numbers = ", ".join(str(child.pid) for child in life.record.children[:SHOWN])
            look.leave(f"{life.why}; what it started can only be seen there: processes {numbers}")


def _clear(folder: Path) -> str:
    clear(folder)
    return "ended, and its folder removed"


def _end(process: ProcessIdentity) -> str:
    end_processes([process])
    return "ended"
