"""Zstandard over all raw frames of a chunk together: small and exact, for still backgrounds compress across time."""

import math
import threading
from collections.abc import Sequence

import numpy as np
import zstandard

from jepa.core.episodes import Pixels
from pipelines.store.codecs.codec import CODECS, Codec

LEVEL = 9
"""A sixth smaller than level 3 on Push-T and Reacher, for 4 % of the time that Push-T takes to simulate a frame."""
WHOLE = 1 << 23
"""Bytes of frames that a core's share of the last cache holds: larger chunks are streamed."""
WASTE = 1 << 19
"""Bytes: as much as a core's own cache holds beside the decompressor's window."""


_thread = threading.local()


class Zstd(Codec):
    """One Zstandard frame for each chunk; any Zstandard tool reads it."""

    suffix = "zst"
    lossless = True

    def encode(self, pixels: Pixels) -> bytes:
        return _compressor().compress(np.ascontiguousarray(pixels).data)

    def decode(self, data: bytes, shape: tuple[int, int, int], into: Pixels | None = None) -> Pixels:
        size = 3 * math.prod(shape)
        try:
            if zstandard.frame_content_size(data) != size:
                raise ValueError(f"the frames are not {size} bytes")
            pixels = np.empty((*shape, 3), np.uint8) if into is None else into
            with _decompressor().stream_reader(data) as reader:
                _fill(reader, pixels)
        except zstandard.ZstdError as error:
            raise ValueError(f"the frames are damaged: {error}") from error
        return pixels

    def pick(self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]) -> None:
        if 3 * math.prod(shape) > WHOLE:
            self._pick_in_passing(data, shape, frames, into)
            return
        # Where all frames have room, they are decompressed in one go, without the copies that a stream keeps back.
        pixels = self.decode(data, shape, _scratch(3 * math.prod(shape)).reshape(*shape, 3))
        for frame, place in zip(frames, into, strict=True):
            place[:] = pixels[frame]

    def _pick_in_passing(
        self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]
    ) -> None:
        """Streams the frames, each to where it is wanted and the rest to memory that stays in a cache."""
        size, done = 3 * shape[1] * shape[2], 0
        waste = _scratch(max(size, WASTE))
        try:
            with _decompressor().stream_reader(data) as reader:
                for frame, place in zip(frames, into, strict=True):
                    while done < frame:
                        count = min(frame - done, len(waste) // size)
                        _fill(reader, waste[: count * size])
                        done += count
                    _fill(reader, place)
                    done += 1
        except zstandard.ZstdError as error:
            raise ValueError(f"the frames are damaged: {error}") from error


def _fill(reader: zstandard.ZstdDecompressionReader, place: Pixels) -> None:
    if reader.readinto(place) != place.nbytes:
        raise ValueError("the frames end too early")


def _scratch(size: int) -> Pixels:
    """Returns memory of this thread, whose pages are there already."""
    if len(getattr(_thread, "scratch", b"")) < size:
        _thread.scratch = np.empty(size, np.uint8)
    scratch: Pixels = _thread.scratch[:size]
    return scratch


def _compressor() -> zstandard.ZstdCompressor:
    """Returns this thread's compressor: a new one for each chunk costs a quarter of the collector's time."""
    if not hasattr(_thread, "compressor"):
        _thread.compressor = zstandard.ZstdCompressor(level=LEVEL)
    compressor: zstandard.ZstdCompressor = _thread.compressor
    return compressor


def _decompressor() -> zstandard.ZstdDecompressor:
    """Returns this thread's decompressor, for none is safe to share."""
    if not hasattr(_thread, "decompressor"):
        _thread.decompressor = zstandard.ZstdDecompressor()
    decompressor: zstandard.ZstdDecompressor = _thread.decompressor
    return decompressor


CODECS.register("zstd")(Zstd())
