"""What a loader did and what it cost, stage by stage."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, replace

STAGES = ("schedule", "fetch", "check", "decode", "assemble", "collate")
"""What comes next; reading stored bytes; their digests; decompression; copying frames; copying actions and state."""
TIMED_EVERY = 8
"""Of so many tasks one is timed: reading a thread's clock is a system call."""


class _Stage:
    """A block whose CPU time is added; a class, for a generator would cost more than some stages do."""

    __slots__ = ("_name", "_seconds", "_started", "_weight")

    def __init__(self, seconds: dict[str, float], name: str, weight: int) -> None:
        self._seconds, self._name, self._weight = seconds, name, weight

    def __enter__(self) -> None:
        self._started = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._name] += self._weight * (time.thread_time() - self._started)


_UNTIMED = contextlib.nullcontext()


@dataclass
class LoaderCounters:
    """Sums since the loader was made; those of several threads are added."""

    batches: int = 0
    """returned to the caller"""
    clips: int = 0
    """assembled"""
    chunks: int = 0
    """decoded, also those of which only some frames were"""
    fetched_bytes: int = 0
    """stored bytes that were read, from a folder, the cache or S3"""
    requests: int = 0
    """reads of a store, whole shards and single chunks"""
    damaged_chunks: int = 0
    """different chunks that could not be used, under `on_damage: skip`"""
    replaced_clips: int = 0
    """clips of such chunks that others were taken for"""
    wait_seconds: float = 0.0
    """time in which the caller waited for a batch"""
    started: float = field(default=0.0, compare=False)
    """clock when the first batch was asked for"""
    total_seconds: float = 0.0
    """time since then"""
    cpu_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    """CPU time of the loader's threads by stage"""
    tasks: int = field(default=0, compare=False)
    """begun by this thread"""
    weight: int = field(default=1, compare=False)
    """of the task that is timed now; 0 where it is not timed"""

    @property
    def wait_share(self) -> float:
        """Returns the share of the time in which the caller waited for data."""
        return self.wait_seconds / self.total_seconds if self.total_seconds else 0.0

    def cpu_microseconds_per_clip(self) -> dict[str, float]:
        """Returns what a clip costs by stage, and all stages together as `all`."""
        each = {stage: 1e6 * seconds / max(1, self.clips) for stage, seconds in self.cpu_seconds.items()}
        return each | {"all": sum(each.values())}

    def begin_task(self) -> None:
        """Begins a task; one in `TIMED_EVERY` is timed and counted for the others too."""
        self.weight = 0 if self.tasks % TIMED_EVERY else TIMED_EVERY
        self.tasks += 1

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Adds the CPU time that this thread spends in the block, unless the task is not timed."""
        return _Stage(self.cpu_seconds, name, self.weight) if self.weight else _UNTIMED

    @contextmanager
    def waited(self) -> Iterator[None]:
        """Adds the time that the caller waits in the block."""
        asked = time.perf_counter()
        self.started = self.started or asked
        try:
            yield
        finally:
            self.wait_seconds += time.perf_counter() - asked

    def until_now(self) -> "LoaderCounters":
        """Returns a copy whose total time ends now."""
        total = time.perf_counter() - self.started if self.started else 0.0
        return replace(self, total_seconds=total, cpu_seconds=dict(self.cpu_seconds))

    def add(self, other: "LoaderCounters") -> None:
        """Adds the sums of another thread."""
        for one in fields(self):
            if one.name in ("started", "total_seconds", "weight"):
                continue
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, dict):
                setattr(self, one.name, {stage: mine[stage] + theirs[stage] for stage in mine})
            else:
                setattr(self, one.name, mine + theirs)
