"""What a world's rollout leaves behind, and what everything downstream reads.

Shapes: T steps, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Actions = NDArray[np.float32]
State = dict[str, NDArray[np.float32]]

SPLITS = ("train", "validation", "test", "unseen")
"""`unseen` holds episodes whose factors of variation lie outside the support that the other three are drawn from."""


@dataclass(frozen=True)
class Episode:
    """One rollout: pixels uint8 (T+1, H, W, 3), action float32 (T, A), state float32 (T+1, d) by quantity."""

    index: int
    seed: int
    split: str
    variation: Mapping[str, float]
    policy: str
    pixels: Pixels
    action: Actions
    state: State

    @property
    def steps(self) -> int:
        """Returns T, the number of actions."""
        return len(self.action)


class EpisodeSource(Protocol):
    """Anything that hands out held episodes by split; a stored dataset is one."""

    world: str
    """Registered name of the world; of a recording that shows none, a name that is not registered."""
    world_options: Mapping[str, object]
    """Options that the world was made with (e.g. image_size)."""
    action_size: int
    """Values of an action."""
    quantities: Mapping[str, int]
    """Dimensions of each quantity of the state that the episodes hold."""

    def count(self, split: str) -> int:
        """Returns how many episodes the split holds."""
        ...

    def episodes(self, split: str, limit: int | None = None) -> Iterator[Episode]:
        """Yields the split's episodes in order of index, the first `limit` of them."""
        ...


@runtime_checkable
class DirectSource(EpisodeSource, Protocol):
    """A source that need not read other episodes on the way to some; a stored dataset is one."""

    def episodes_at(self, split: str, indices: Collection[int]) -> Iterator[Episode]:
        """Yields the split's episodes of these indices in order of index, those of them that there are."""
        ...


@runtime_checkable
class MixedSource(EpisodeSource, Protocol):
    """A source whose splits were recorded under different options of the world; `world_options` are those of test."""

    def world_options_of(self, split: str) -> Mapping[str, object]:
        """Returns the options that the split's episodes were recorded under."""
        ...


def world_options_of(source: EpisodeSource, split: str) -> Mapping[str, object]:
    """Returns the options that a split's episodes were recorded under, by which alone they can be replayed."""
    return source.world_options_of(split) if isinstance(source, MixedSource) else source.world_options


def chosen_episodes(source: EpisodeSource, split: str, indices: Collection[int]) -> Iterator[Episode]:
    """Yields the episodes of some indices in order of index, with no more reading than the source can do with."""
    if isinstance(source, DirectSource):
        yield from source.episodes_at(split, indices)
        return
    wanted = set(indices)
    for episode in source.episodes(split):
        if episode.index in wanted:
            wanted.remove(episode.index)
            yield episode
        if not wanted:
            return
