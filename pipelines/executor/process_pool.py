"""Workers as processes of this machine, each at the other end of a pipe."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from infra.errors import InfraError
from pipelines.executor import heartbeat
from pipelines.executor.pool import Crew, Event

BEAT_SECONDS = 1.0
"""Least time between two heartbeats that are sent."""

# Forking a process that has threads (torch, pyarrow) may hang the child, so children start afresh.
_context = get_context("spawn")


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection


class ProcessCrew(Crew):
    """One process a slot; a dead one takes nothing with it but its own unit."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(function)
        self._workers: dict[int, _Worker] = {}

    def start(self, slot: int) -> None:
        ours, theirs = _context.Pipe()
        process = _context.Process(target=_serve, args=(theirs, self.function), daemon=True)
        process.start()
        theirs.close()
        self._workers[slot] = _Worker(process, ours)

    def give(self, slot: int, unit: Any) -> None:
        # A pipe that broke here is found broken by the next `wait`, which tells that the worker died.
        try:
            self._workers[slot].pipe.send(unit)
        except OSError:
            return

    def wait(self, seconds: float) -> list[Event]:
        slots = {worker.pipe: slot for slot, worker in self._workers.items()}
        return [
            self._hear(slots[pipe]) for pipe in connection.wait(list(slots), seconds) if isinstance(pipe, Connection)
        ]

    def kill(self, slot: int) -> None:
        worker = self._workers.pop(slot)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.process.kill()
        for slot in list(self._workers):
            self.kill(slot)

    def _hear(self, slot: int) -> Event:
        try:
            kind, value = self._workers[slot].pipe.recv()
        except (EOFError, OSError):
            process = self._workers[slot].process
            self.kill(slot)
            return Event(slot, "died", InfraError(f"a worker process died (exit code {process.exitcode})"))
        return Event(slot, kind, value)


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Runs units until the other end of the pipe is closed, by whatever ended the process there."""
    heartbeat.listen(_at_most_every(BEAT_SECONDS, lambda: pipe.send(("beat", None))))
    try:
        pipe.send(("ready", None))
        while True:
            unit = pipe.recv()
            try:
                answer = ("done", function(unit))
            except Exception as error:
                answer = ("failed", error)
            _answer(pipe, answer)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


def _at_most_every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    last = float("-inf")

    def listener() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            act()

    return listener


def _answer(pipe: Connection, answer: tuple[str, Any]) -> None:
    try:
        pipe.send(answer)
    except (TypeError, AttributeError, ValueError) as error:  # some errors and results do not pickle
        pipe.send(("failed", RuntimeError(f"{answer[1]!r} cannot be sent to the driver: {error}")))
