"""Frames as they are: for worlds whose frames do not compress, and to measure the others against."""

import numpy as np

from jepa.core.episodes import Pixels
from pipelines.store.codecs.codec import CODECS, Codec


class Raw(Codec):
    """Stores the bytes of the array in C order."""

    suffix = "bin"
    lossless = True

    def encode(self, pixels: Pixels) -> bytes:
        return pixels.tobytes()

    def decode(self, data: bytes, shape: tuple[int, int, int], into: Pixels | None = None) -> Pixels:
        pixels = np.frombuffer(data, np.uint8).reshape(*shape, 3)
        if into is None:
            return pixels
        np.copyto(into, pixels)
        return into


CODECS.register("raw")(Raw())
