"""Fills batches ahead of their consumer, by threads of this process.

Decompression, digests and copies let go of the interpreter's lock, so that threads are enough: there are no worker
processes to fork, to feed through shared memory or to lose.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jepa.core.clips import Clips
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.assemble import BatchArrays
from pipelines.loader.native.buffers import BatchMemory
from pipelines.loader.native.tasks import Position, Step, Task

Work = Callable[[Task, Sequence[BatchArrays], LoaderCounters], None]
"""Cuts the clips of a task into their batches."""


@dataclass
class _Batch:
    """A batch that is being filled."""

    clips: Clips
    arrays: BatchArrays
    missing: int
    """clips"""
    error: BaseException | None = None


class Pipeline:
    """Batches from a place of the order on; numbered from 0 there."""

    def __init__(
        self,
        steps: Iterator[Step],
        work: Work,
        memory: BatchMemory,
        *,
        threads: int,
        slots: int,
        depth: int,
        expect: Callable[[Task], None],
    ) -> None:
        """Starts the threads.

        Args:
            steps: what is to be done, batch by batch.
            work: does it.
            memory: where batches come from.
            threads: how many work at the same time.
            slots: clips of a batch.
            depth: batches, from the consumer's next one on, that are in memory; a task must fit into as many.
            expect: is told of tasks some time before they are done.
        """
        self._steps, self._work, self._memory, self._expect = steps, work, memory, expect
        self._slots, self._depth = slots, depth
        # Two conditions of one lock: whoever is woken for nothing takes the interpreter's lock from who works.
        lock = threading.Lock()
        self._changed, self._ready = threading.Condition(lock), threading.Condition(lock)
        self._tasks: deque[Task] = deque()
        self._batches: dict[int, _Batch] = {}
        self._after: deque[Position] = deque()
        """of the batches that are planned and not yet handed out"""
        self._next = 0
        self._planning = False
        self._failure: BaseException | None = None
        self._closed = False
        self._counters = [LoaderCounters() for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._run, args=(counters,), daemon=True, name="loader")
            for counters in self._counters
        ]
        for thread in self._threads:
            thread.start()

    def next(self) -> tuple[Position, Clips]:
        """Returns the next batch and the position after it.

        Raises:
            InfraError: what kept the batch from being filled; asked again, it says the same.
        """
        with self._ready:
            self._ready.wait_for(self._is_next_ready)
            if self._failure is not None:
                raise self._failure
            batch = self._batches[self._next]
            if batch.error is not None:
                raise batch.error
            del self._batches[self._next]
            self._next += 1
            self._changed.notify_all()
            after = self._after.popleft()
        return after, self._memory.finish(batch.clips, batch.arrays)

    def counters(self) -> list[LoaderCounters]:
        """Returns what each thread has done."""
        return self._counters

    def close(self) -> None:
        """Ends the threads and waits for them; what they have filled is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._ready.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():  # the collector may drop a loader in any thread
                thread.join()

    def _is_next_ready(self) -> bool:
        batch = self._batches.get(self._next)
        # Earlier steps may fill a batch before its own is planned, which tells the position after it.
        ready = batch is not None and not batch.missing and len(self._after) > 0
        return ready or self._failure is not None or self._closed

    def _run(self, counters: LoaderCounters) -> None:
        while (taken := self._take(counters)) is not None:
            task, batches = taken
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
            del taken, batches, batch  # or their memory would be held until the next task

    def _take(self, counters: LoaderCounters) -> tuple[Task, list[_Batch]] | None:
        """Returns the next task and the batches that it fills, or None when all is over."""
        while True:
            with self._changed:
                if self._closed or self._failure is not None:
                    return None
                if self._tasks and self._tasks[0].last < self._next + self._depth:
                    task = self._tasks.popleft()
                    return task, [self._batch(number) for number in task.batches]
                if self._planning or len(self._after) > 2 * self._depth:
                    self._changed.wait()
                    continue
                self._planning = True
            self._plan(counters)

    def _batch(self, number: int) -> _Batch:
        if number not in self._batches:
            self._batches[number] = _Batch(*self._memory.take(), missing=self._slots)
        return self._batches[number]

    def _plan(self, counters: LoaderCounters) -> None:
        """Asks for one more step, and tells of its tasks; one thread at a time does so."""
        step, failure = None, None
        try:
            counters.weight = 1
            with counters.stage("plan"):
                step = next(self._steps)
                for task in step.tasks:
                    self._expect(task)
        except BaseException as raised:
            failure = raised
        with self._changed:
            self._planning = False
            self._failure = failure
            if step is not None:
                self._tasks += step.tasks
                self._after.append(step.after)
            self._changed.notify_all()
            if self._is_next_ready():
                self._ready.notify_all()
