"""What a world's rollout leaves behind, and what everything downstream reads.

An episode may have a frame of every N-th step only. `Episode.frames_at` alone knows where a step's frame lies.
Shapes: T steps, F = ⌊T/N⌋ + 1 frames, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.core.errors import InputError

Pixels = NDArray[np.uint8]
Actions = NDArray[np.float32]
State = dict[str, NDArray[np.float32]]

SPLITS = ("train", "validation", "test", "unseen")
"""`unseen` holds episodes whose factors of variation lie outside the support that the other three are drawn from."""


@dataclass(frozen=True)
class Episode:
    """One rollout: pixels uint8 (F, H, W, 3), action float32 (T, A), state float32 (T+1, d) by quantity."""

    index: int
    seed: int
    split: str
    variation: Mapping[str, float]
    policy: str
    pixels: Pixels
    action: Actions
    state: State
    frame_every: int = 1
    """N: frame f shows the state after N·f steps; with 1 every step has a frame, F = T + 1"""

    @property
    def steps(self) -> int:
        """Returns T, the number of actions."""
        return len(self.action)

    @property
    def drawn_steps(self) -> NDArray[np.int64]:
        """Returns the steps that have a frame, (F,), rising from 0."""
        return self.every(self.frame_every)

    def every(self, steps: int) -> NDArray[np.int64]:
        """Returns the steps 0, K, 2K … of the episode for a number K of steps."""
        return np.arange(0, self.steps + 1, steps)

    def frames_at(self, steps: ArrayLike) -> Pixels:
        """Returns the frames uint8 (n, H, W, 3) of n steps, or that (H, W, 3) of one.

        Raises:
            InputError: one of the steps has no frame.
        """
        step_n = np.asarray(steps)
        if self.frame_every > 1 and (step_n % self.frame_every).any():
            step = np.ravel(step_n)[np.flatnonzero(np.ravel(step_n) % self.frame_every)[0]]
            raise InputError(
                f"episode {self.index} has no frame of step {step}: frame_every is {self.frame_every}; ask for steps "
                f"that are a multiple of {self.frame_every}, or collect the dataset with frame_every 1"
            )
        frames: Pixels = self.pixels[step_n // self.frame_every]
        return frames


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


@runtime_checkable
class SparseSource(EpisodeSource, Protocol):
    """A source whose episodes may have a frame of every N-th step only."""

    frame_every: int
    """N"""


def frame_every_of(source: EpisodeSource) -> int:
    """Returns N where the source's episodes have a frame of every N-th step, 1 where every step has one."""
    return source.frame_every if isinstance(source, SparseSource) else 1


def check_frameskip(frameskip: int, frame_every: int, dataset: str = "the dataset") -> None:
    """Passes where frames that are `frameskip` steps apart are there.

    Raises:
        InputError: they are not, for only every N-th step has one.
    """
    if frameskip % frame_every:
        raise InputError(
            f"frameskip is {frameskip} and {dataset} has a frame of every {frame_every} steps (frame_every "
            f"{frame_every}); take a multiple of {frame_every} as frameskip, or collect a dataset whose frame_every "
            f"divides {frameskip}"
        )


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
