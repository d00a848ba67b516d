"""Workers as processes of this machine, each at the other end of a pipe."""

import pickle
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from infra.errors import InfraError
from infra.observability.event_log import configure_logging
from infra.processes.background import BackgroundThread
from jepa.core.errors import InputError
from jepa.core.registries.plugins import import_plugins
from pipelines.executor import heartbeat
from pipelines.executor.failure import Failure
from pipelines.executor.main_guard import EXIT_STATUS, SENTENCE, WORKER_NAME, require_main_file
from pipelines.executor.perform import Place, Task, dumped_function, perform_in_worker
from pipelines.executor.pool import Event, WorkerPool

BEAT_SECONDS = 1.0
"""Least time between two heartbeats that are sent."""
LAST_WORDS_SECONDS = 1.0
"""How long the pipe of a process that has ended is read on; a child of its own may hold the pipe open for ever."""
BEAT, READY, BROKEN, ANSWER = b"b", b"r", b"x", b"a"
"""First byte of a message from a worker."""

# Forking a process that has threads (torch, pyarrow) may hang the child, so children start from scratch.
_context = get_context("spawn")


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    listener: BackgroundThread


class ProcessPool(WorkerPool):
    """One process a slot; a dead one takes nothing with it but its own unit.

    A thread a worker reads its pipe, so that one that is stopped in the middle of an answer holds up nobody.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        require_main_file()
        self._function = dumped_function(function, _dumps)
        self._workers: dict[int, _Worker] = {}
        self._heard: queue.Queue[tuple[Connection, int, bytes | None]] = queue.Queue()

    def start(self, slot: int) -> None:
        ours, theirs = _context.Pipe()
        process = _context.Process(
            target=_serve, args=(theirs, self._function), name=f"{WORKER_NAME}-{slot}", daemon=True
        )
        process.start()
        theirs.close()
        listener = BackgroundThread(partial(self._listen, slot, ours), f"listen-{slot}")
        self._workers[slot] = _Worker(process, ours, listener)
        listener.start()

    def submit(self, slot: int, task: Task) -> None:
        data = _dumps(task)
        # A pipe that broke here is found broken by its listener, which says that the worker died.
        try:
            self._workers[slot].pipe.send_bytes(data)
        except OSError:
            return

    def wait(self, seconds: float) -> list[Event]:
        messages = []
        try:
            messages.append(self._heard.get(timeout=seconds))
            while True:
                messages.append(self._heard.get_nowait())
        except queue.Empty:
            pass
        events = []
        for pipe, slot, data in messages:
            if slot in self._workers and self._workers[slot].pipe is pipe:
                events.append(self._died(slot) if data is None else _event(slot, data))
        return events + [self._died(slot) for slot in list(self._workers) if self._is_mute(slot)]

    def kill(self, slot: int) -> None:
        worker = self._workers.pop(slot)
        worker.process.kill()
        worker.process.join()
        # Closed by its listener, which still reads, unless that hears no end of it.
        worker.listener.join(LAST_WORDS_SECONDS)

    def close(self) -> None:
        for worker in self._workers.values():
            worker.process.kill()
        for slot in list(self._workers):
            self.kill(slot)

    def _listen(self, slot: int, pipe: Connection) -> None:
        try:
            with pipe:
                while True:
                    self._heard.put((pipe, slot, pipe.recv_bytes()))
        except (EOFError, OSError):
            return
        finally:
            self._heard.put((pipe, slot, None))  # whatever ended this thread, nobody hears the worker any more

    def _is_mute(self, slot: int) -> bool:
        """Returns whether a worker has ended and its pipe says nothing about it."""
        worker = self._workers[slot]
        if worker.process.is_alive():
            return False
        worker.listener.join(LAST_WORDS_SECONDS)
        return worker.listener.is_alive()

    def _died(self, slot: int) -> Event:
        process, listener = self._workers[slot].process, self._workers[slot].listener
        self.kill(slot)
        try:
            listener.check()
        except InfraError as error:
            return Event(slot, "died", error)
        if process.exitcode == EXIT_STATUS:
            return Event(slot, "broken", Failure.of(InputError(SENTENCE)))
        return Event(slot, "died", InfraError(f"a worker process died (exit code {process.exitcode})"))


def _event(slot: int, data: bytes) -> Event:
    kind, content = data[:1], data[1:]
    if kind == BEAT:
        return Event(slot, "beat")
    if kind in (READY, BROKEN):
        return Event(slot, "ready" if kind == READY else "broken", pickle.loads(content))
    return Event.of_answer(slot, content)


def _serve(pipe: Connection, dumped: bytes) -> None:
    """Runs units until the other end of the pipe is closed, by whatever ended the process there."""
    lock = threading.Lock()

    def send(kind: bytes, content: bytes = b"") -> None:
        with lock:  # a unit may beat from a thread of its own
            pipe.send_bytes(kind + content)

    heartbeat.listen(_at_most_every(BEAT_SECONDS, lambda: send(BEAT)))
    try:
        try:
            configure_logging()
            import_plugins()
            function = pickle.loads(dumped)
        except Exception as error:
            send(BROKEN, _dumps(Failure.of(error)))
            return
        send(READY, _dumps(Place.here()))
        while True:
            send(ANSWER, perform_in_worker(function, pipe.recv_bytes(), _dumps))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _dumps(value: Any) -> bytes:
    return bytes(ForkingPickler.dumps(value))


def _at_most_every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    last = float("-inf")

    def listener() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            act()

    return listener
