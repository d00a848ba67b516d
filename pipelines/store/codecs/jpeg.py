"""JPEG, a frame each: for noisy, camera-like frames, which no lossless codec makes small. The images follow each other
without any frame around them (what video tools call MJPEG); within an image `FF D9` occurs only as its last two bytes.
"""

from collections.abc import Sequence

import numpy as np
import simplejpeg

from jepa.core.episodes import Pixels
from pipelines.store.codecs.codec import CODECS, Codec

QUALITY = 95
"""As the peers store their frames."""
END = b"\xff\xd9"


class Jpeg(Codec):
    """Colours at full resolution: halved, they smear over the few pixels of a small agent."""

    suffix = "mjpeg"
    lossless = False

    def encode(self, pixels: Pixels) -> bytes:
        frames = np.ascontiguousarray(pixels)
        return b"".join(simplejpeg.encode_jpeg(frame, quality=QUALITY, colorsubsampling="444") for frame in frames)

    def decode(self, data: bytes, shape: tuple[int, int, int], into: Pixels | None = None) -> Pixels:
        pixels = np.empty((*shape, 3), np.uint8) if into is None else into
        self.pick(data, shape, range(shape[0]), list(pixels))
        return pixels

    def pick(self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]) -> None:
        *images, rest = data.split(END)
        if len(images) != shape[0] or rest:
            raise ValueError(f"the frames are damaged: {len(images)} images where there should be {shape[0]}")
        for frame, place in zip(frames, into, strict=True):
            image = images[frame] + END
            if simplejpeg.decode_jpeg_header(image)[:2] != shape[1:]:
                raise ValueError(f"the frames are damaged: an image is not {shape[1]}×{shape[2]}")
            simplejpeg.decode_jpeg(image, buffer=place)


CODECS.register("jpeg")(Jpeg())
