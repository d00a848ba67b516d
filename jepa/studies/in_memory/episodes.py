"""Episodes held in memory: collected once in a process, and then shared by all cells that name the same collection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import SPLITS, Episode, EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.worlds.registry import WORLDS
from jepa.worlds.rollout import EpisodePlan, collect_episodes


@dataclass(frozen=True)
class Collection:
    """Everything that a set of episodes depends on; two equal ones are the same episodes."""

    world: str = "two_room"
    """registered name of the world"""
    train: int = 200
    """episodes to train on"""
    validation: int = 20
    """episodes that tell a probe when to stop"""
    test: int = 40
    """held-out episodes"""
    unseen: int = 0
    """held-out episodes with variations that training never shows; a world that holds none out takes none"""
    steps: int = 64
    """actions of an episode"""
    image_size: int | None = None
    """side of the frames in pixels; by default what the world suggests"""
    options: tuple[tuple[str, bool | int | float | str], ...] = ()
    """further options of the world, as pairs of name and value"""
    policies: tuple[tuple[str, float], ...] = ()
    """policies of training episodes with their shares; by default, and in held-out ones always, the world's mixture"""
    frame_every: int = 1
    """of so many steps only the first has a frame; actions and states are complete"""
    seed: int = 0
    """seed of all episodes"""


class MemoryEpisodes(EpisodeSource):
    """An `EpisodeSource` of episodes that are there already."""

    def __init__(
        self, world: str, world_options: Mapping[str, object], by_split: Mapping[str, Sequence[Episode]]
    ) -> None:
        """Takes the episodes of each split.

        Raises:
            InputError: there is no episode, or a split is not known.
        """
        if unknown := sorted(set(by_split) - set(SPLITS)):
            raise InputError(f"split {unknown[0]!r} is not known; choose from: {', '.join(SPLITS)}")
        self._by_split = {split: tuple(episodes) for split, episodes in by_split.items()}
        first = next((episodes[0] for episodes in self._by_split.values() if episodes), None)
        if first is None:
            raise InputError(f"no episode of world {world!r} was given; give at least one")
        self.world, self.world_options = world, world_options
        self.image_size = first.pixels.shape[1]
        self.frame_every = first.frame_every
        self.action_size = first.action.shape[1]
        self.quantities = {name: value.shape[1] for name, value in first.state.items()}

    def count(self, split: str) -> int:
        """Returns how many episodes the split holds."""
        return len(self._by_split.get(split, ()))

    def episodes(self, split: str, limit: int | None = None) -> Iterator[Episode]:
        """Yields the split's episodes in order, the first `limit` of them."""
        return iter(self._by_split.get(split, ())[:limit])

    @cached_property
    def action_statistics(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns mean and standard deviation (A,) of the training split's actions."""
        action_NA = np.concatenate([episode.action for episode in self.episodes("train")]).astype(np.float64)
        return action_NA.mean(0), action_NA.std(0)


@lru_cache(maxsize=4)
def collected(collection: Collection) -> MemoryEpisodes:
    """Returns the episodes of a collection; the last few are kept.

    An episode depends on the collection's seed, its split and its number there, not on how many there are.

    Raises:
        InputError: the world or a policy is not known.
    """
    spec = WORLDS.get(collection.world).world_spec
    options = {"image_size": collection.image_size or spec.image_size, **dict(collection.options)}
    counts = {split: getattr(collection, split) for split in SPLITS}
    if not spec.has_unseen:
        counts["unseen"] = 0
    by_split: dict[str, list[Episode]] = {}
    for split, count in counts.items():
        start = sum(len(episodes) for episodes in by_split.values())
        plans = [_plan(collection, split, number, start + number) for number in range(count)]
        by_split[split] = list(collect_episodes(collection.world, options, plans, frame_every=collection.frame_every))
    return MemoryEpisodes(collection.world, options, by_split)


def _plan(collection: Collection, split: str, number: int, index: int) -> EpisodePlan:
    spec = WORLDS.get(collection.world).world_spec
    seed = derive_seed(collection.seed, "episode", split, number)
    rng = numpy_generator(seed, "plan")
    # Held-out episodes are the same whatever is trained on, so that figures compare.
    mixture = (dict(collection.policies) if split == "train" else {}) or spec.policy
    names = sorted(mixture)
    shares = np.array([mixture[name] for name in names])
    policy = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    variation = spec.sample_variation(rng, unseen=split == "unseen")
    return EpisodePlan(index, seed, split, variation, policy, collection.steps)
