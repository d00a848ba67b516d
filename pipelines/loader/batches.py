"""The memory of batches: one contiguous array for the frames, used again when the batch that had it is gone.

On a machine with virtual memory the page faults of a new array cost more than decoding into it.
"""

import sys

import numpy as np
import torch
from torch import Tensor

from jepa.clips import Clips
from jepa.episodes import Pixels
from pipelines.loader.cutter import BatchArrays, ClipCutter


class BatchMemory:
    """Makes empty batches of one worker's clips."""

    def __init__(self, cutter: ClipCutter, clips: int, *, keep: int, pin: bool) -> None:
        """Takes the number of clips, how many arrays to keep for use again, and whether a GPU is to fetch them."""
        shape = cutter.shape
        self._pixels = (clips, shape.frames, *cutter.image_size, 3)
        self._action = (clips, shape.frames - 1, shape.frameskip, cutter.action_size)
        self._state = {name: (clips, shape.frames, size) for name, size in cutter.quantities.items()}
        self._keep = keep
        self._pin = pin and torch.cuda.is_available()
        self._arrays: list[Pixels] = []

    @property
    def batch_bytes(self) -> int:
        """Returns the size of a batch's frames."""
        return int(np.prod(self._pixels))

    def take(self) -> tuple[Clips, BatchArrays]:
        """Returns a batch whose values are whatever they are, and the same memory as arrays to be filled."""
        clips = Clips(
            pixels_BTHWC=self._take_pixels(),
            action_BTKA=self._new(self._action),
            state={name: self._new(shape) for name, shape in self._state.items()},
        )
        state = {name: values.numpy() for name, values in clips.state.items()}
        return clips, BatchArrays(clips.pixels_BTHWC.numpy(), clips.action_BTKA.numpy(), state)

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
