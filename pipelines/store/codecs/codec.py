"""What a codec is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from jepa.core.episodes import Pixels
from jepa.core.registries.registry import Registry


class Codec(ABC):
    """Turns the frames of a chunk into bytes and back; equal frames give equal bytes."""

    suffix: str
    """Ending of the encoded frames' file name in containers that hold files."""
    lossless: bool

    @abstractmethod
    def encode(self, pixels: Pixels) -> bytes:
        """Returns the encoded frames; pixels are uint8 (n, H, W, 3)."""

    @abstractmethod
    def decode(self, data: bytes, shape: tuple[int, int, int], into: Pixels | None = None) -> Pixels:
        """Returns uint8 (n, H, W, 3), read-only unless it is `into`.

        Args:
            data: what `encode` returned.
            shape: (n, H, W).
            into: contiguous array of that shape to decode into; a reused one saves the page faults of a new one, which
                cost several times the decoding.

        Raises:
            ValueError: the bytes are not such frames.
        """

    def pick(self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]) -> None:
        """Decodes some frames of a chunk, each to a place of its own; who can do so with less work, does.

        Args:
            data, shape: as for `decode`.
            frames: their places in the chunk, rising.
            into: a contiguous array (H, W, 3) for each.

        Raises:
            ValueError: the bytes are not such frames.
        """
        pixels = self.decode(data, shape)
        for frame, place in zip(frames, into, strict=True):
            np.copyto(place, pixels[frame])


CODECS: Registry[Codec] = Registry(
    "codec",
    {
        "h264": "pipelines.store.codecs.h264",
        "jpeg": "pipelines.store.codecs.jpeg",
        "raw": "pipelines.store.codecs.raw",
        "zstd": "pipelines.store.codecs.zstd",
    },
)
