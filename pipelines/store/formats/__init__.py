"""The containers that hold chunks; importing this fills the registry."""

from pipelines.store.formats import mds, webdataset
from pipelines.store.formats.container import FORMATS, Container, ShardFile, Span

__all__ = ["FORMATS", "Container", "ShardFile", "Span", "mds", "webdataset"]
