"""The containers that hold chunks."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.store.formats.container import FORMATS, Container, ShardFile, Span, StoredChunk

__all__ = ["FORMATS", "Container", "ShardFile", "Span", "StoredChunk"]

offer_lazily(__name__)
