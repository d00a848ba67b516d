"""What is done about chunks that are damaged or gone: stop, or skip them, count them and take other clips instead.

A clip that cannot be assembled is replaced by one of the next usable chunk in the table, so that all workers still see
the same batches; only then may two clips of a batch come from the same chunk.
"""

import threading
import warnings
from collections.abc import Sequence

import numpy as np

from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.assemble import BatchRow, ClipAssembler
from pipelines.loader.native.fetch import DamagedChunkError


class DamagePolicy:
    """Assembles clips under a policy; safe for many threads."""

    def __init__(self, assembler: ClipAssembler, *, skip: bool) -> None:
        """Takes what assembles, and whether to go on where it cannot."""
        self._assembler = assembler
        self._skip = skip
        self._known: set[int] = set()
        self._lock = threading.Lock()

    @property
    def damaged_chunks(self) -> int:
        """Returns how many different chunks could not be used."""
        return len(self._known)

    def assemble(self, chunk: int, frames: Sequence[int], rows: Sequence[BatchRow], counters: LoaderCounters) -> None:
        """Assembles clips as `ClipAssembler.assemble` does, or others in their rows.

        Raises:
            DamagedChunkError: under the policy to stop, or if no chunk can be used.
        """
        if not self._is_known(chunk, frames):
            try:
                self._assembler.assemble(chunk, frames, rows, counters)
                return
            except DamagedChunkError as error:
                self._note(error)
        for frame, row in zip(frames, rows, strict=True):
            self._assemble_one(chunk, frame, row, counters)

    def _assemble_one(self, chunk: int, frame: int, row: BatchRow, counters: LoaderCounters) -> None:
        usable = np.flatnonzero(self._assembler.windows)
        start = int(np.searchsorted(usable, chunk))
        for further in range(len(usable)):
            candidate = int(usable[(start + further) % len(usable)])
            first = frame % int(self._assembler.windows[candidate])
            if self._is_known(candidate, [first]) and further + 1 < len(usable):
                continue
            try:
                self._assembler.assemble(candidate, [first], [row], counters)
            except DamagedChunkError as error:
                self._note(error)
                if further + 1 == len(usable):
                    raise
                continue
            counters.replaced_clips += further > 0
            return

    def _is_known(self, chunk: int, frames: Sequence[int]) -> bool:
        return bool(self._known) and not self._known.isdisjoint(self._assembler.chunks_of(chunk, frames))

    def _note(self, error: DamagedChunkError) -> None:
        if not self._skip:
            raise error
        with self._lock:
            new = error.chunk not in self._known
            self._known.add(error.chunk)
        if new:
            warnings.warn(f"skipped: {error}", RuntimeWarning, stacklevel=2)
