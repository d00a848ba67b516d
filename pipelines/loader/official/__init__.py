"""The containers' own readers behind our interface, to compare with; importing this fills the registry."""

from pipelines.loader.official import streaming, webdataset
from pipelines.loader.official.official import OfficialLoader

__all__ = ["OfficialLoader", "streaming", "webdataset"]
