"""How a chunk's frames are compressed."""

from pipelines.store.codecs.codec import CODECS, Codec

__all__ = ["CODECS", "Codec"]
