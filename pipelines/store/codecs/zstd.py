"""Zstandard over all raw frames of a chunk together: small and exact, for still backgrounds compress across time."""

import threading
from collections.abc import Sequence

import numpy as np
import zstandard

from jepa.episodes import Pixels
from pipelines.store.codecs.codec import CODECS, Codec

LEVEL = 3
"""Higher levels cost the collector more than the store saves."""
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
        pixels = np.empty((*shape, 3), np.uint8) if into is None else into
        try:
            # A decompressor is not safe to share between threads, and making one costs a microsecond.
            with zstandard.ZstdDecompressor().stream_reader(data) as reader:
                read = reader.readinto(pixels.reshape(-1).data)
                more = reader.read(1)
        except zstandard.ZstdError as error:
            raise ValueError(f"the frames are damaged: {error}") from error
        if read != pixels.size or more:
            raise ValueError(f"the frames are not {pixels.size} bytes")
        return pixels

    def pick(self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]) -> None:
        # Frames come out in order, so that each can go where it is wanted and the rest to memory that stays in a cache.
        size, done = 3 * shape[1] * shape[2], 0
        waste = _waste(size)
        try:
            with zstandard.ZstdDecompressor().stream_reader(data) as reader:
                for frame, place in zip(frames, into, strict=True):
                    while done < frame:
                        count = min(frame - done, len(waste) // size)
                        _fill(reader, waste[: count * size])
                        done += count
                    _fill(reader, place.reshape(-1).data)
                    done += 1
        except zstandard.ZstdError as error:
            raise ValueError(f"the frames are damaged: {error}") from error


def _fill(reader: zstandard.ZstdDecompressionReader, place: memoryview) -> None:
    if reader.readinto(place) != len(place):
        raise ValueError("the frames end too early")


def _waste(size: int) -> memoryview:
    """Returns this thread's room for what nobody wants: a frame at least."""
    if len(getattr(_thread, "waste", b"")) < size:
        _thread.waste = np.empty(max(size, WASTE), np.uint8).data
    waste: memoryview = _thread.waste
    return waste


def _compressor() -> zstandard.ZstdCompressor:
    """Returns this thread's compressor: a new one for each chunk costs a quarter of the collector's time."""
    if not hasattr(_thread, "compressor"):
        _thread.compressor = zstandard.ZstdCompressor(level=LEVEL)
    compressor: zstandard.ZstdCompressor = _thread.compressor
    return compressor


CODECS.register("zstd")(Zstd())
