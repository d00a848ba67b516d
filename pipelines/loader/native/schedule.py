"""The schedule of an epoch, that is, which clip comes in which batch: a pure function of the chunks, seed and epoch.

An epoch reads every window (a clip's first frame) once, but for remainders smaller than a batch. It runs in rounds.
In a round each chunk is visited at most once, for up to `windows_per_chunk` windows. A permutation orders the visits,
the windows of `shuffle_chunks` neighbouring visits (a segment) are shuffled, and the sequence is divided into as many
equal runs as the batch has slots: batch t of the round holds entry t of every run. So a slot reads through a chunk in
nearby batches, and the chunk is decoded once, while the slots of one batch are in different chunks. That is certain
wherever a run is as long as the largest visit, that is, where there are about as many chunks as slots.

Shapes: n chunks, R rounds, B slots (clips of the global batch).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core import keyed
from jepa.core.seeds import derive_key

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Where a clip begins."""

    chunk: int
    """that holds its first frame, by its number in the split's chunk table"""
    frame: int
    """counted from the chunk's first"""


@dataclass(frozen=True)
class SlotPlaces:
    """Where the slots of one batch stand in a round: in which segment, and at which entry of it."""

    round: int
    segment: Integers
    """(B,)"""
    entry: Integers
    """(B,)"""
    batches_left: int
    """of the round, this one included: as far as the slots read on in their runs"""


@dataclass(frozen=True)
class _Round:
    """One pass over the chunks: its visits in order, and where the windows of each begin in the round's sequence."""

    number: int
    chunks: Integers
    visits: Integers
    """which visit of its chunk in this epoch"""
    starts: Integers
    """(visits + 1,)"""
    batches: int
    """length of a slot's run"""
    segment: int
    """visits that are shuffled together"""


class EpochSchedule:
    """The schedule of one epoch."""

    def __init__(
        self, windows: Integers, *, seed: int, epoch: int, batch_size: int, windows_per_chunk: int, shuffle_chunks: int
    ) -> None:
        """Lays out the rounds.

        Args:
            windows: number of windows that begin in each chunk, (n,); chunks with none are never visited.
            seed: of the schedule.
            epoch: its number, from 0.
            batch_size: B.
            windows_per_chunk: windows of a visit at most, unless there are fewer chunks than slots.
            shuffle_chunks: visits that are shuffled together, fewer in small datasets.
        """
        self.batch_size = batch_size
        self._windows = windows
        # The words in a key decide the draw: none may change, or a continued run would read other clips.
        self._key = derive_key("epoch", seed, epoch)
        self._shuffle = shuffle_chunks
        per_visit = windows_per_chunk
        if np.minimum(windows, windows_per_chunk).sum() < batch_size * min(
            windows_per_chunk, int(windows.max(initial=0))
        ):
            # Too few chunks for different ones in every slot: one round of all windows has the smallest remainder.
            per_visit = max(1, int(windows.max(initial=1)))
        self._visits = -(-windows // per_visit)
        self._rounds = self._lay_out()
        if not self._rounds and windows.sum() >= batch_size:
            # What fills one batch may be too little for any of several rounds.
            self._visits = np.minimum(windows, 1)
            self._rounds = self._lay_out()
        self._ends = np.cumsum([one.batches for one in self._rounds], dtype=np.int64)

    @property
    def batches(self) -> int:
        """Returns the number of full batches of the epoch."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def batch(self, number: int) -> list[Window]:
        """Returns where the B clips of one global batch begin, slot by slot.

        Raises:
            IndexError: the epoch has fewer batches.
        """
        places = self.locate(number)
        slots = zip(places.segment.tolist(), places.entry.tolist(), strict=True)
        return [self.segment(places.round, segment)[entry] for segment, entry in slots]

    def locate(self, number: int) -> SlotPlaces:
        """Returns where the slots of one batch stand.

        Raises:
            IndexError: the epoch has fewer batches.
        """
        if not 0 <= number < self.batches:
            raise IndexError(f"batch {number} of {self.batches}")
        round_number = int(np.searchsorted(self._ends, number, side="right"))
        one, end = self._rounds[round_number], int(self._ends[round_number])
        entry = np.arange(self.batch_size) * one.batches + (number - end + one.batches)
        segment = (np.searchsorted(one.starts, entry, side="right") - 1) // one.segment
        return SlotPlaces(round_number, segment, entry - one.starts[segment * one.segment], end - number)

    def segment(self, round_number: int, segment: int) -> list[Window]:
        """Returns the windows of a segment in their shuffled order."""
        chunks, frames = self.segment_arrays(round_number, segment)
        return [Window(chunk, frame) for chunk, frame in zip(chunks.tolist(), frames.tolist(), strict=True)]

    def segment_arrays(self, round_number: int, segment: int) -> tuple[Integers, Integers]:
        """Returns the chunks and the frames of a segment's windows, in their shuffled order."""
        one = self._rounds[round_number]
        places = slice(segment * one.segment, (segment + 1) * one.segment)
        visited = one.chunks[places]
        windows = [
            self._windows_of(chunk, visit)
            for chunk, visit in zip(visited.tolist(), one.visits[places].tolist(), strict=True)
        ]
        chunks = np.repeat(visited, [len(part) for part in windows])
        order = keyed.permutation(derive_key("segment", self._key, round_number, segment), len(chunks))
        return chunks[order], np.concatenate(windows)[order]

    def _windows_of(self, chunk: int, visit: int) -> Integers:
        """Returns the windows of one visit; the visits of an epoch share out a permutation of the chunk's windows."""
        total, visits = int(self._windows[chunk]), int(self._visits[chunk])
        order = keyed.permutation(derive_key("windows", self._key, chunk), total)
        return order[visit * total // visits : (visit + 1) * total // visits]

    def _lay_out(self) -> list[_Round]:
        """Gives each chunk's visits to different rounds, at random where it has fewer visits than there are rounds."""
        rounds = int(self._visits.max(initial=0))
        numbers = np.arange(len(self._windows))
        keys = [derive_key("round", self._key, number) for number in range(rounds)]
        taken = (
            np.stack([keyed.mix(key, numbers) for key in keys]) if rounds else np.empty((0, len(numbers)), np.uint64)
        )
        rank = taken.argsort(axis=0, kind="stable").argsort(axis=0)
        laid = (self._lay_out_round(number, rounds, rank[number]) for number in range(rounds))
        return [one for one in laid if one.batches]

    def _lay_out_round(self, number: int, rounds: int, rank: Integers) -> _Round:
        chunks = np.flatnonzero(rank < self._visits)
        chunks = chunks[keyed.permutation(derive_key("order", self._key, number), len(chunks))]
        # Chunks that come in every round take their visits in order: equally long chunks then have visits of one length
        # in a round, and every slot's run is as long as the largest of them.
        visits = np.where(self._visits[chunks] == rounds, number, rank[chunks])
        totals, counts = self._windows[chunks], self._visits[chunks]
        sizes = (visits + 1) * totals // counts - visits * totals // counts
        starts = np.concatenate([[0], np.cumsum(sizes)])
        batches = int(starts[-1]) // self.batch_size
        # A segment that two slots share must not be longer than a run, or both would be in it at the same time.
        segment = min(self._shuffle, batches // int(sizes.max(initial=1)))
        return _Round(number, chunks, visits, starts, batches, max(1, segment))
