"""The memory of batches: one contiguous array for the frames, used again when the batch that had it is gone.

On a machine with virtual memory the page faults of a new array cost more than decoding into it.
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.episodes import Pixels
from pipelines.loader.native.assemble import BatchArrays, ClipCutter


class BatchMemory:
    """Makes empty batches of one worker's clips."""

    def __init__(self, cutter: ClipCutter, clips: int, *, keep: int, pin: bool) -> None:
        """Takes the number of clips, how many arrays to keep for use again, and whether a GPU is to fetch them."""
        shape = cutter.shape
        self._pixels = (clips, shape.frames, *cutter.image_size, 3)
        self._action = (clips, shape.frames - 1, shape.frameskip, cutter.action_size)
        self._state = (clips, shape.frames, sum(cutter.quantities.values()))
        self._quantities = tuple(cutter.quantities)
        self._ends = np.cumsum(list(cutter.quantities.values()))[:-1]
        self._keep = keep
        self._pin = pin and torch.cuda.is_available()
        self._arrays: list[Pixels] = []

    @property
    def batch_bytes(self) -> int:
        """Returns the size of a batch's frames."""
        return int(np.prod(self._pixels))

    def take(self) -> tuple[Clips, BatchArrays]:
        """Returns a batch whose values are whatever they are, without its state, and arrays by which it is filled."""
        clips = Clips(self._take_pixels(), self._new(self._action), {})
        state = np.empty(self._state, np.float32)
        return clips, BatchArrays(clips.pixels_BTHWC.numpy(), clips.action_BTKA.numpy(), state)

    def finish(self, clips: Clips, arrays: BatchArrays) -> Clips:
        """Returns a batch that has been filled, with its state by quantity."""
        parts = zip(self._quantities, np.split(arrays.state, self._ends, axis=-1), strict=True)
        state = {name: torch.from_numpy(np.ascontiguousarray(part)) for name, part in parts}
        return replace(clips, state={name: part.pin_memory() for name, part in state.items()} if self._pin else state)

    def _take_pixels(self) -> Tensor:
        if self._pin:
            # torch keeps pinned memory itself, and knows until when a copy to the GPU still reads it.
            return torch.empty(self._pixels, dtype=torch.uint8, pin_memory=True)
        for number in range(len(self._arrays)):
            # A tensor, or any view of it, holds its array: two references are this list's and the call's.
            if sys.getrefcount(self._arrays[number]) == 2:
                return torch.from_numpy(self._arrays[number])
        array = np.empty(self._pixels, np.uint8)
        if len(self._arrays) < self._keep:
            self._arrays.append(array)
        return torch.from_numpy(array)

    def _new(self, shape: tuple[int, ...]) -> Tensor:
        return torch.empty(shape, dtype=torch.float32, pin_memory=self._pin)
