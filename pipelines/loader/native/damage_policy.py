"""What is done about chunks that are damaged or gone: stop, or count them and let others take their places.

A clip that cannot be cut is replaced by one of the next chunk in the table that can be, so that all workers see the
same batches still; only then may two clips of a batch come from the same chunk.
"""

import threading
import warnings
from collections.abc import Sequence

import numpy as np

from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.assemble import ClipCutter, Place
from pipelines.loader.native.fetch import DamagedChunkError


class Damage:
    """Cuts clips under a policy; safe for many threads."""

    def __init__(self, cutter: ClipCutter, *, skip: bool) -> None:
        """Takes what cuts, and whether to go on where it cannot."""
        self._cutter = cutter
        self._skip = skip
        self._known: set[int] = set()
        self._lock = threading.Lock()

    @property
    def chunks(self) -> int:
        """Returns how many different chunks could not be used."""
        return len(self._known)

    def cut(self, chunk: int, windows: Sequence[int], places: Sequence[Place], counters: LoaderCounters) -> None:
        """Cuts clips as `ClipCutter.cut` does, or others in their places.

        Raises:
            DamagedChunkError: under the policy to stop, or if no chunk can be used.
        """
        if not self._is_known(chunk, windows):
            try:
                self._cutter.cut(chunk, windows, places, counters)
                return
            except DamagedChunkError as error:
                self._note(error)
        for window, place in zip(windows, places, strict=True):
            self._cut_one(chunk, window, place, counters)

    def _cut_one(self, chunk: int, window: int, place: Place, counters: LoaderCounters) -> None:
        usable = np.flatnonzero(self._cutter.windows)
        start = int(np.searchsorted(usable, chunk))
        for step in range(len(usable)):
            row = int(usable[(start + step) % len(usable)])
            first = window % int(self._cutter.windows[row])
            if self._is_known(row, [first]) and step + 1 < len(usable):
                continue
            try:
                self._cutter.cut(row, [first], [place], counters)
            except DamagedChunkError as error:
                self._note(error)
                if step + 1 == len(usable):
                    raise
                continue
            counters.replaced_clips += step > 0
            return

    def _is_known(self, chunk: int, windows: Sequence[int]) -> bool:
        return bool(self._known) and not self._known.isdisjoint(self._cutter.rows(chunk, windows))

    def _note(self, error: DamagedChunkError) -> None:
        if not self._skip:
            raise error
        with self._lock:
            new = error.row not in self._known
            self._known.add(error.row)
        if new:
            warnings.warn(f"skipped: {error}", RuntimeWarning, stacklevel=2)
