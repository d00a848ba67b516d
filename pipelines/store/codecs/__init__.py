"""How a chunk's frames are compressed; importing this fills the registry."""

from pipelines.store.codecs import h264, jpeg, raw, zstd
from pipelines.store.codecs.codec import CODECS, Codec

__all__ = ["CODECS", "Codec", "h264", "jpeg", "raw", "zstd"]
