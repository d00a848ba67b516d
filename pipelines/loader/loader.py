"""The contract of a loader, the registry of its kinds, and `open_loader`, which makes one from a `ClipRequest`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Self

from jepa.core.clips import Clips
from jepa.core.registries.registry import Registry
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.request import ClipRequest


class Loader(ABC):
    """Endless iterator over this worker's part of the batches, epoch after epoch."""

    def __iter__(self) -> Iterator[Clips]:
        return self

    @abstractmethod
    def __next__(self) -> Clips:
        """Returns the next batch.

        Raises:
            InfraError: a chunk is damaged or its shard cannot be read.
        """

    @abstractmethod
    def position(self) -> dict[str, int]:
        """Returns the position of the next batch, to be saved with the weights."""

    @abstractmethod
    def seek(self, position: Mapping[str, int]) -> None:
        """Continues at a position.

        Raises:
            InputError: this kind of loader cannot.
        """

    @abstractmethod
    def counters(self) -> LoaderCounters:
        """Returns what was done so far and what it cost."""

    @abstractmethod
    def close(self) -> None:
        """Ends all threads; the loader can still be used, and then starts them again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


LOADERS: Registry[Callable[[ClipRequest], Loader]] = Registry(
    "loader.kind",
    {
        "native": "pipelines.loader.native.native_loader",
        "streaming": "pipelines.loader.official.streaming",
        "webdataset": "pipelines.loader.official.webdataset",
    },
)


def open_loader(request: ClipRequest) -> Loader:
    """Returns a loader of the kind that `request.config.kind` names; no frame is read before the first batch.

    Raises:
        InputError: the kind is unknown, or it cannot read this split in such batches.
    """
    return LOADERS.get(request.config.kind)(request)
