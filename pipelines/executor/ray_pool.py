"""Workers as actors of a Ray cluster."""

import pickle
import socket
import time
from collections.abc import Callable
from typing import Any

from infra.observability.event_log import configure_logging
from jepa.core.errors import InputError
from jepa.core.registries.plugins import request_plugins, requested_plugins
from pipelines.executor import heartbeat
from pipelines.executor.failure import Failure
from pipelines.executor.perform import Place, Task, dumped_function, perform_in_worker
from pipelines.executor.pool import Event, WorkerPool

BEAT_SECONDS = 1.0
"""Least time between two questions for a worker's heartbeat."""
BEATS_A_SECOND = 50.0
"""Questions a second, over all workers: each costs the driver a millisecond or two, which its units need, too."""


def beat_pause(workers: int, stall_seconds: float | None) -> float:
    """Returns the time between two questions to each worker; with many it is longer, if not so long as to miss a stall.

    Args:
        workers: that are asked.
        stall_seconds: after which a silent worker is replaced; None never does it.
    """
    pause = max(BEAT_SECONDS, workers / BEATS_A_SECOND)
    return pause if stall_seconds is None else min(pause, max(BEAT_SECONDS, stall_seconds / 4))


class RayPool(WorkerPool):
    """One actor a slot, on some cores and a share of a GPU; where it runs is Ray's business."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        gpus_each: float = 0.0,
        cpus_each: float = 1.0,
        stall_seconds: float | None = None,
    ) -> None:
        import ray

        self._stall_seconds = stall_seconds
        self._function = dumped_function(function, _dumps)
        # No restarts by Ray itself: we count attempts, so that a unit which kills its actor cannot do so for ever.
        # Questions for its heartbeat are answered on a thread of their own, while a unit runs.
        # Ray's own annotations leave `concurrency_groups` out.
        as_actor = ray.remote(  # type: ignore[call-overload]
            num_cpus=cpus_each, num_gpus=gpus_each, max_restarts=0, concurrency_groups={"watch": 1}
        )
        self._class = as_actor(_Actor)
        self._actors: dict[int, Any] = {}
        self._running: dict[Any, tuple[int, bool]] = {}
        """by reference: slot, and whether it is a unit and not the actor's start"""
        self._at_work: set[int] = set()
        self._asked: dict[Any, int] = {}
        self._beats: dict[int, int] = {}
        self._next_question = 0.0

    def start(self, slot: int) -> None:
        self._actors[slot] = self._class.remote(self._function, requested_plugins())
        self._running[self._actors[slot].ready.remote()] = (slot, False)

    def submit(self, slot: int, task: Task) -> None:
        # Pickled here and not by Ray: a unit that cannot be read on the other side is then an answer like any other.
        reference = self._actors[slot].run.remote(_dumps(task))
        self._at_work.add(slot)
        self._running[reference] = (slot, True)

    def wait(self, seconds: float) -> list[Event]:
        import ray

        finished, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [self._end(reference) for reference in finished] + self._hear_beats()

    def kill(self, slot: int) -> None:
        import ray

        ray.kill(self._actors.pop(slot))
        self._at_work.discard(slot)
        self._beats.pop(slot, None)
        self._running = {reference: work for reference, work in self._running.items() if work[0] != slot}
        self._asked = {reference: asked for reference, asked in self._asked.items() if asked != slot}

    def close(self) -> None:
        for slot in list(self._actors):
            self.kill(slot)

    def _end(self, reference: Any) -> Event:
        import ray
        from ray.exceptions import RayError, RayTaskError

        slot, is_unit = self._running.pop(reference)
        try:
            value = ray.get(reference)
        except RayTaskError as error:  # a fault of the actor itself: what a unit raises is in its answer
            self._at_work.discard(slot)
            return Event(slot, "failed" if is_unit else "broken", Failure.of(error))
        except RayError as error:
            self.kill(slot)
            return Event(slot, "died", error.with_traceback(None))
        self._at_work.discard(slot)
        if not is_unit:
            return Event(slot, "ready" if isinstance(value, Place) else "broken", value)
        return Event.of_answer(slot, value)

    def _hear_beats(self) -> list[Event]:
        """Asks the workers that have a unit, and returns those whose counter has moved since they last answered."""
        import ray
        from ray.exceptions import RayError

        answered = ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)[0] if self._asked else []
        events = []
        for reference in answered:
            slot = self._asked.pop(reference)
            try:
                beats = ray.get(reference)
            except RayError:
                continue  # the unit that the actor had says that it is lost
            if beats != self._beats.get(slot):
                self._beats[slot] = beats
                events.append(Event(slot, "beat"))
        if time.monotonic() >= self._next_question:
            self._next_question = time.monotonic() + beat_pause(len(self._actors), self._stall_seconds)
            silent = self._at_work - set(self._asked.values())
            self._asked |= {self._ask(slot): slot for slot in silent}
        return events

    def _ask(self, slot: int) -> Any:
        return self._actors[slot].beats.options(concurrency_group="watch").remote()


class _Actor:
    """Runs one unit at a time."""

    def __init__(self, function: bytes, plugins: list[str]) -> None:
        self._dumped, self._plugins = function, plugins

    def ready(self) -> Place | Failure:
        """Returns where the actor is, or what keeps it from doing any unit."""
        try:
            configure_logging(in_background=True)
            _import(self._plugins)
            self._function: Callable[[Any], Any] = pickle.loads(self._dumped)
        except Exception as error:
            return Failure.of(error)
        return Place.here()

    def run(self, task: bytes) -> bytes:
        """Returns the pickled answer to a pickled task."""
        return perform_in_worker(self._function, task, _dumps)

    def beats(self) -> int:
        """Returns how often this process has called `beat`."""
        return heartbeat.count()


def _import(plugins: list[str]) -> None:
    try:
        request_plugins(plugins)
    except InputError as error:
        raise InputError(f"on {socket.gethostname()}, a node of the Ray cluster: {error}") from error


def _dumps(value: Any) -> bytes:
    from ray import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data
