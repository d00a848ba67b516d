"""What every loader is: an endless iterator of batches that knows its place and what it costs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Self

from jepa.core.clips import Clips
from pipelines.loader.counters import LoaderCounters


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
        """Returns the place of the next batch."""

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
