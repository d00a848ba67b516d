"""The memory of batches: one contiguous array for the frames, used again when the batch that had it is gone.

On a machine with virtual memory the page faults of a new array cost more than decoding into it. Where a GPU is to fetch
the batches, all their parts are in pinned memory, from which it copies by itself while this process goes on.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infra.processes.machine import machine_bytes
from jepa.core.clips import Clips
from jepa.core.episodes import Actions, Pixels
from jepa.core.errors import InputError
from pipelines.loader.config import MEGABYTE, LoaderConfig
from pipelines.loader.request import ClipRequest


@dataclass(frozen=True)
class BatchShape:
    """The shapes of a batch's parts: b clips, T frames, H × W pixels, K actions of A dimensions in an action block."""

    pixels: tuple[int, int, int, int, int]
    """(b, T, H, W, 3)"""
    action: tuple[int, int, int, int]
    """(b, T-1, K, A)"""
    quantities: Mapping[str, int]
    """dimensions d of each, in the order in which they lie side by side"""

    @property
    def state(self) -> tuple[int, int, int]:
        """Returns (b, T, Σd)."""
        return (*self.pixels[:2], sum(self.quantities.values()))

    @property
    def pixel_bytes(self) -> int:
        """Returns the size of a batch's frames."""
        return math.prod(self.pixels)


@dataclass(frozen=True)
class BatchArrays:
    """A batch while it is filled: pixels uint8 (b, T, H, W, 3), action float32 (b, T-1, K, A).

    All quantities lie side by side in `state`, float32 (b, T, Σd), so that a clip's state is one copy.
    """

    pixels: Pixels
    action: Actions
    state: NDArray[np.float32]


class BatchBuffers:
    """Makes empty batches of one worker's clips."""

    def __init__(self, shape: BatchShape, *, keep: int, pin: bool) -> None:
        """Takes the shapes, how many pixel arrays to keep for use again, and whether to put all parts in pinned memory.

        Pinned memory is torch's to keep for use again: it knows until when a copy to the GPU still reads it.
        """
        self._shape = shape
        self._keep = keep
        self._pin = pin
        self._arrays: list[Pixels] = []

    def take(self) -> tuple[Clips, BatchArrays]:
        """Returns a batch whose values are undefined, without its state, and the arrays by which it is filled."""
        clips = Clips(self._take_pixels(), self._empty(self._shape.action, torch.float32), {})
        state = np.empty(self._shape.state, np.float32)
        return clips, BatchArrays(clips.pixels_BTHWC.numpy(), clips.action_BTKA.numpy(), state)

    def finish(self, clips: Clips, arrays: BatchArrays) -> Clips:
        """Returns a batch that has been filled, with its state by quantity."""
        state, start = {}, 0
        for name, size in self._shape.quantities.items():
            state[name] = self._copied(arrays.state[..., start : start + size])
            start += size
        return replace(clips, state=state)

    def _copied(self, part: NDArray[np.float32]) -> Tensor:
        tensor = self._empty(part.shape, torch.float32)
        np.copyto(tensor.numpy(), part)
        return tensor

    def _take_pixels(self) -> Tensor:
        if self._pin:
            return self._empty(self._shape.pixels, torch.uint8)
        for number in range(len(self._arrays)):
            # A tensor, or any view of it, holds its array: two references are this list's and the call's.
            if sys.getrefcount(self._arrays[number]) == 2:
                return torch.from_numpy(self._arrays[number])
        array = np.empty(self._shape.pixels, np.uint8)
        if len(self._arrays) < self._keep:
            self._arrays.append(array)
        return torch.from_numpy(array)

    def _empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype, pin_memory=self._pin)


def batch_shape(request: ClipRequest) -> BatchShape:
    """Returns the shapes of what the request's worker gets of each batch.

    Raises:
        InputError: the machine has no memory for two of them.
    """
    clip, clips, manifest = request.clip_shape, len(request.slots), request.dataset.manifest
    shape = BatchShape(
        pixels=(clips, clip.frames, *manifest.image_size, 3),
        action=(clips, clip.frames - 1, clip.frameskip, manifest.action_size),
        quantities=dict(sorted(manifest.quantities.items())),
    )
    needed = 2 * (shape.pixel_bytes + 4 * math.prod(shape.action) + 4 * math.prod(shape.state))
    memory = machine_bytes()
    if memory is not None and needed > memory:
        height, width = manifest.image_size
        sizes = f"{needed / 2**30:,.1f} GiB and this machine has {memory / 2**30:,.1f} GiB"
        raise InputError(
            f"two batches of {clips} clips of {clip.frames} frames of {height}×{width} pixels take "
            f"{sizes}; take a smaller batch_size, or a dataset of smaller frames"
        )
    return shape


def batches_ahead(config: LoaderConfig, batch_bytes: int, segment: int) -> int:
    """Returns how many batches are filled ahead: as many as the memory allows, of use up to two segments of clips."""
    return max(2, min(config.memory_megabytes * MEGABYTE // batch_bytes, 2 * segment + 4))
