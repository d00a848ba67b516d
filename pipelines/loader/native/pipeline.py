"""Fills batches ahead of their consumer, by threads of this process.

Decompression, digests and copies release the interpreter's lock, so that threads are enough: there are no worker
processes to fork, to feed through shared memory or to lose.

Whatever ends a thread ends the iteration with the same error: an error in a task reaches the consumer with the first
batch that the task fills, an error outside tasks (in the schedule, in prefetching, for want of memory) at once, and a
consumer whose threads are all gone is not left waiting.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from infra.errors import InfraError
from infra.processes.background import LEAVING_SECONDS, BackgroundThread, leave_all
from jepa.core.clips import Clips
from pipelines.loader.config import THREAD
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.buffers import BatchArrays, BatchBuffers
from pipelines.loader.native.tasks import BatchTasks, Position, Task

Work = Callable[[Task, Sequence[BatchArrays], LoaderCounters], None]
"""Assembles the clips of a task in their batches."""
WATCH_SECONDS = 5.0
"""How often a waiting consumer looks whether its threads are still there."""


@dataclass
class _Batch:
    """A batch that is being filled."""

    clips: Clips
    arrays: BatchArrays
    missing: int
    """clips"""
    error: BaseException | None = None


class Pipeline:
    """Batches from a position of the schedule on; numbered from 0 there."""

    def __init__(
        self,
        scheduled: Iterator[BatchTasks],
        work: Work,
        buffers: BatchBuffers,
        *,
        threads: int,
        slots: int,
        depth: int,
        prefetch: Callable[[Task], None],
    ) -> None:
        """Starts the threads.

        Args:
            scheduled: what is to be done, batch by batch.
            work: does it.
            buffers: where batches come from.
            threads: how many work at the same time.
            slots: clips of a batch.
            depth: batches, from the consumer's next one on, that are in memory; a task must fit into as many.
            prefetch: is called with each task some time before it is done.
        """
        self._scheduled, self._work, self._buffers, self._prefetch = scheduled, work, buffers, prefetch
        self._slots, self._depth = slots, depth
        # Two conditions of one lock: a thread woken for nothing takes the interpreter's lock from one that works.
        # The collector may drop a loader, and so close this, in a thread that holds the lock already.
        lock = threading.RLock()
        self._changed, self._ready = threading.Condition(lock), threading.Condition(lock)
        self._tasks: deque[Task] = deque()
        self._batches: dict[int, _Batch] = {}
        self._after: deque[Position] = deque()
        """of the batches that are scheduled and not yet handed out"""
        self._next = 0
        self._scheduling = False
        self._failure: BaseException | None = None
        self._closed = False
        self._counters = [LoaderCounters() for _ in range(threads)]
        self._threads: list[BackgroundThread] = []
        self._start()

    def next(self) -> tuple[Position, Clips]:
        """Returns the next batch and the position after it.

        Raises:
            InfraError: what kept the batch from being filled; asked again, it says the same.
        """
        with self._ready:
            while not self._ready.wait_for(self._is_next_ready, WATCH_SECONDS):
                if not all(thread.is_alive() for thread in self._threads):
                    self._failure = InfraError(
                        "threads of the loader are gone, perhaps because this process was forked from the one that "
                        "opened the loader; open it in the process that reads from it"
                    )
            if self._failure is not None:
                raise _as_error(self._failure)
            if self._closed:
                raise InfraError("the loader was closed while another thread waited for a batch; close it afterwards")
            batch = self._batches[self._next]
            if batch.error is not None:
                raise _as_error(batch.error)
        clips = self._buffers.finish(batch.clips, batch.arrays)
        with self._changed:
            del self._batches[self._next]
            self._next += 1
            self._changed.notify_all()
            return self._after.popleft(), clips

    def counters(self) -> list[LoaderCounters]:
        """Returns what each thread has done."""
        return self._counters

    def close(self, *, wait: bool = True) -> None:
        """Ends the threads, and waits some seconds for them unless `wait` is false; what they filled is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._ready.notify_all()
        if wait:
            leave_all(self._threads, LEAVING_SECONDS / 2)

    def _start(self) -> None:
        try:
            for counters in self._counters:
                thread = BackgroundThread(partial(self._run, counters), THREAD)
                thread.start()
                self._threads.append(thread)
        except BaseException:
            self.close()  # those that were started must not run on for nobody
            raise

    def _is_next_ready(self) -> bool:
        batch = self._batches.get(self._next)
        # Earlier tasks may fill a batch before its own are scheduled, with which comes the position after it.
        ready = batch is not None and not batch.missing and len(self._after) > 0
        return ready or self._failure is not None or self._closed

    def _run(self, counters: LoaderCounters) -> None:
        try:
            while (taken := self._take(counters)) is not None:
                self._do(*taken, counters)
                del taken  # or its batches' memory would be held until the next task
        except BaseException as raised:
            with self._changed:
                self._fail(raised)

    def _do(self, task: Task, batches: list[_Batch], counters: LoaderCounters) -> None:
        error = None
        counters.begin_task()
        try:
            self._work(task, [batch.arrays for batch in batches], counters)
        except BaseException as raised:
            error = raised
        with self._changed:
            for batch in batches:
                batch.missing -= 1
                batch.error = batch.error or error
            if self._is_next_ready():
                self._ready.notify_all()

    def _take(self, counters: LoaderCounters) -> tuple[Task, list[_Batch]] | None:
        """Returns the next task and the batches that it fills, or None when all is over."""
        while True:
            with self._changed:
                if self._closed or self._failure is not None:
                    return None
                if self._tasks and self._tasks[0].last < self._next + self._depth:
                    task = self._tasks.popleft()
                    return task, [self._batch(number) for number in task.batches]
                if self._scheduling or len(self._after) > 2 * self._depth:
                    self._changed.wait()
                    continue
                self._scheduling = True
            self._schedule(counters)

    def _batch(self, number: int) -> _Batch:
        if number not in self._batches:
            self._batches[number] = _Batch(*self._buffers.take(), missing=self._slots)
        return self._batches[number]

    def _schedule(self, counters: LoaderCounters) -> None:
        """Schedules the tasks of one more batch and has their chunks prefetched; one thread at a time does so."""
        counters.weight = 1
        with counters.stage("schedule"):
            more = next(self._scheduled)
            for task in more.tasks:
                self._prefetch(task)
        with self._changed:
            self._scheduling = False
            self._tasks += more.tasks
            self._after.append(more.after)
            self._changed.notify_all()
            if self._is_next_ready():
                self._ready.notify_all()

    def _fail(self, error: BaseException) -> None:
        """Ends the iteration with the first error that ended a thread; the lock is held."""
        self._failure = self._failure or error
        self._changed.notify_all()
        self._ready.notify_all()


def _as_error(raised: BaseException) -> BaseException:
    """Returns what ends the iteration: an exit asked for in a thread of ours must not pass for the caller's own."""
    if isinstance(raised, Exception) and not isinstance(raised, StopIteration):
        return raised
    error = InfraError(f"a thread of the loader was ended by {raised!r}; open the loader again")
    error.__cause__ = raised
    return error
