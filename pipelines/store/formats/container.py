"""What a container is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jepa.core.episodes import Actions, State
from jepa.core.registries.registry import Registry


@dataclass(frozen=True)
class StoredChunk:
    """A chunk as a container holds it: encoded frames beside plain arrays.

    `action` has n rows, row t acting on frame t; the last chunk of an episode has n-1: nothing acts on the last frame.
    Where only every N-th step has a frame, there are N rows of actions and states for each, and frame f goes with row
    N·f; the last chunk has those up to the episode's end.
    """

    episode: int
    first_frame: int
    frames: int
    height: int
    width: int
    pixels: bytes
    action: Actions
    state: State

    @property
    def shape(self) -> tuple[int, int, int]:
        """Returns (n, H, W)."""
        return self.frames, self.height, self.width


@dataclass(frozen=True)
class Span:
    """Where a chunk lies in its shard, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class ShardFile:
    """What an index says of a shard: its file name within the split's folder, its bytes and its chunks."""

    name: str
    bytes: int
    chunks: int


class Container(ABC):
    """Packs chunks into shards that the format's official reader reads unaided; equal chunks give equal bytes."""

    suffix: str
    """Ending of a shard's file name."""

    @abstractmethod
    def pack(self, chunks: Sequence[StoredChunk], pixels_suffix: str) -> tuple[bytes, list[Span]]:
        """Returns the whole shard and where each chunk lies in it.

        Args:
            chunks: at least one, all with the same quantities.
            pixels_suffix: the codec's ending, for containers that name their files.
        """

    @abstractmethod
    def unpack(self, record: bytes, quantities: Sequence[str]) -> StoredChunk:
        """Returns the chunk whose span of the shard is `record`.

        Raises:
            ValueError: the bytes are no such chunk.
        """

    @abstractmethod
    def index(self, shards: Sequence[ShardFile], quantities: Sequence[str]) -> dict[str, bytes]:
        """Returns the files, by name, that the official reader wants beside a split's shards."""


FORMATS: Registry[Container] = Registry(
    "format",
    {
        "mds": "pipelines.store.formats.mds",
        "webdataset": "pipelines.store.formats.webdataset",
    },
)
