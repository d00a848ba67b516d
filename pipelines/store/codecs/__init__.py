"""How a chunk's frames are compressed."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.store.codecs.codec import CODECS, Codec

__all__ = ["CODECS", "Codec"]

offer_lazily(__name__)
