"""The containers that hold chunks."""

from pipelines.store.formats.container import FORMATS, Container, ShardFile, Span, StoredChunk

__all__ = ["FORMATS", "Container", "ShardFile", "Span", "StoredChunk"]
