"""H.264 video of a chunk: the smallest for camera-like frames, at the price of decoding a chunk from its beginning."""

import io
from collections.abc import Sequence

import numpy as np

from jepa.core.episodes import Pixels
from pipelines.store.codecs.codec import CODECS, Codec

OPTIONS = {"crf": "18", "preset": "veryfast", "threads": "1", "bf": "0", "rc-lookahead": "0"}
"""One thread, or the bytes would depend on the machine; no frame waits for a later one. The look-ahead reads memory
that nobody has set: 37 of 600 small chunks came out different the second time, and a shard's bytes must repeat."""


class H264(Codec):
    """A bare H.264 stream (Annex B), one group of pictures, colours at full resolution."""

    suffix = "h264"
    lossless = False

    def encode(self, pixels: Pixels) -> bytes:
        import av  # its libraries take a quarter of a second to load, and most datasets never need them

        frames, height, width, _ = pixels.shape
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="h264") as video:
            stream = video.add_stream("libx264", rate=10, options=OPTIONS | {"g": str(frames)})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
            for frame in np.ascontiguousarray(pixels):
                video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
            video.mux(stream.encode())
        return buffer.getvalue()

    def decode(self, data: bytes, shape: tuple[int, int, int], into: Pixels | None = None) -> Pixels:
        pixels = np.empty((*shape, 3), np.uint8) if into is None else into
        self.pick(data, shape, range(shape[0]), list(pixels))
        return pixels

    def pick(self, data: bytes, shape: tuple[int, int, int], frames: Sequence[int], into: Sequence[Pixels]) -> None:
        import av

        places, last, count = dict(zip(frames, into, strict=True)), max(frames), 0
        with av.open(io.BytesIO(data), "r", format="h264") as video:
            for count, frame in enumerate(video.decode(video=0), 1):
                if count > shape[0] or (frame.height, frame.width) != shape[1:]:
                    raise ValueError("the frames are damaged: their number or size is another one")
                if count - 1 in places:
                    places[count - 1][:] = frame.to_ndarray(format="rgb24")
                if count - 1 == last < shape[0] - 1:
                    return  # each frame is made of those before it, and no later one is wanted
        if count != shape[0]:
            raise ValueError(f"the frames are damaged: {count} of {shape[0]} can be decoded")


CODECS.register("h264")(H264())
