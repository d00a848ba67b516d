"""What a dataset will hold, fixed before anything runs: every episode's seed, split, variation, policy and shard.

All of it is a pure function of the plan's fields; an episode does not depend on how many there are, so a longer plan
keeps the episodes of a shorter one. A dataset that grows keeps its shards, too: the episodes that a version adds go
into shards of their own, so that the layout follows from the list of the versions' episode counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from jepa.core import keyed
from jepa.core.config import Config, digest_of
from jepa.core.episodes import SPLITS
from jepa.core.seeds import derive_key, episode_generator
from jepa.worlds import WORLDS, EpisodePlan
from jepa.worlds.declarations import Factor
from pipelines.store.datasets.integrity.bounds import Episodes, Steps
from pipelines.store.formats import FORMATS

STRATUM = 20
"""Episodes among which the shares are kept: hashes order them, so that 20 episodes already have 5 % of validation."""
IMPORTED = "imported"
"""Name of the policy of episodes that were read from a file."""
SEED_STREAM = 3


@dataclass(frozen=True)
class ShardPlan:
    """The episodes of one shard; `path` is relative to the dataset's folder."""

    number: int
    """Place among all shards of the dataset."""
    split: str
    path: str
    digest: str
    """Names all that the shard's bytes depend on, but the code."""
    episodes: tuple[int, ...]

    @property
    def name(self) -> str:
        """Returns e.g. `train/shard-000003`."""
        return self.path.removeprefix("shards/").rpartition(".")[0]


class ImportedFile(Config):
    """The file that episodes were read from instead of being simulated; its own name and place do not matter."""

    sha256: str
    """digest of the whole file"""
    columns: tuple[str, ...]
    """columns that became quantities of the state, or how these are made of columns"""
    pixels: str = "pixels"
    """column of the frames"""
    skipped: NonNegativeInt = 0
    """episodes of the file with fewer than two frames, which hold no step"""

    @model_serializer(mode="wrap")
    def _without_later_fields(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what earlier files do not have, where it says nothing: their bytes and digests stay."""
        later = {"pixels": "pixels", "skipped": 0}
        return {name: value for name, value in write(self).items() if name not in later or value != later[name]}


class ShiftOf(Config):
    """How a dataset differs from another one: all of its episodes have one factor at one value."""

    dataset: str
    """name of the other one"""
    factor: str
    """a factor of variation of the world, or an option that its `world_options` hold beside"""
    value: float

    def __str__(self) -> str:
        return f"{self.dataset} with {self.factor} {self.value_text}"

    @property
    def value_text(self) -> str:
        """The value in as few digits as tell it from every other number."""
        return repr(self.value).removesuffix(".0")


class DatasetPlan(Config):
    """The whole dataset plan; equal plans give byte-equal shards and indexes."""

    stored_as: ClassVar[Mapping[str, str]] = {"behaviour": "policy"}

    rules: Literal[1] = 1
    """version of the rules of this file by which episodes are derived"""
    world: str
    """registered name of the world"""
    world_options: dict[str, Any] = Field(default_factory=dict)
    """options that the world is made with"""
    policy: dict[str, NonNegativeFloat]
    """policies and their proportions"""
    episodes: Episodes
    """number of episodes over all splits"""
    steps: Steps
    """actions of an episode; it has one state more"""
    seed: NonNegativeInt
    """seed of the dataset, from which every episode's own seed is derived"""
    shares: dict[str, NonNegativeFloat]
    """share of the episodes of each split"""
    episodes_per_shard: Episodes
    """episodes of a shard, which is the unit of work"""
    chunk_frames: Steps
    """frames that are compressed and fetched together"""
    codec: str
    """registered name of the codec of the frames"""
    format: str
    """registered name of the container"""
    extends: tuple[Episodes, ...] = ()
    """numbers of episodes of the dataset's earlier versions, in their order"""
    source: ImportedFile | None = None
    """file that the episodes come from; none where they are simulated"""
    shift: ShiftOf | None = None
    """what was made other than in a dataset that models were trained on; none of most"""
    frame_every: Steps = 1
    """steps from one frame that is rendered and stored to the next; every step has its action and its state"""

    @model_serializer(mode="wrap")
    def _without_later_fields(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what earlier plans do not have, where it says nothing: their bytes and digests stay."""
        later = {"shift": None, "frame_every": 1}
        return {name: value for name, value in write(self).items() if name not in later or value != later[name]}

    @model_validator(mode="after")
    def _can_be(self) -> "DatasetPlan":
        if not any(self.shares.get(split, 0.0) for split in SPLITS):
            raise ValueError(f"shares give no split any episode; give one of: {', '.join(SPLITS)}")
        if any(first >= second for first, second in pairwise((*self.extends, self.episodes))):
            raise ValueError(f"extends {list(self.extends)[:5]} does not grow up to {self.episodes} episodes")
        if self.frame_every > self.steps:
            raise ValueError(
                f"frame_every {self.frame_every} leaves an episode of {self.steps} steps one frame alone; take "
                f"{self.steps} or less"
            )
        if self.source is not None and self.frame_every > 1:
            raise ValueError(f"frame_every {self.frame_every} with an imported file cannot be; take 1")
        return self

    @property
    def frames(self) -> int:
        """Returns the frames of an episode that does not end by itself."""
        return self.steps // self.frame_every + 1

    def fingerprint(self) -> str:
        """Returns the fingerprint over the names that fields had when the first datasets were collected.

        Seeds do not depend on it, but the marker of each shard names it: renaming a field must not lose them.
        """
        held = self.model_dump(mode="json")
        return digest_of(held | {"behaviour": held.pop("policy")})[:12]

    @property
    def version(self) -> int:
        """Returns 1 for a dataset as it was first collected, and one more for each extension."""
        return len(self.extends) + 1

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Returns the factors of variation that episodes record; a file has none."""
        return () if self.source else WORLDS.get(self.world).world_spec.factors

    def splits(self, start: int = 0, end: int | None = None) -> NDArray[np.int8]:
        """Returns the split of the episodes [start, end), as places in SPLITS; by default of all.

        Within each stratum of 20 episodes the split follows the order of their hashes, so that shares hold exactly
        where they are multiples of 1/20 and in expectation otherwise.
        """
        shares = tuple(self.shares.get(split, 0.0) for split in SPLITS)
        return _splits(self.seed, start, self.episodes if end is None else end, shares)

    def episode_plan(self, index: int) -> EpisodePlan:
        """Returns the plan of one episode.

        Raises:
            IndexError: the dataset has no such episode.
        """
        if not 0 <= index < self.episodes:
            raise IndexError(f"episode {index} of {self.episodes}")
        split = SPLITS[int(self.splits(index, index + 1)[0])]
        # 63 bits, for Parquet and generators take signed integers.
        seed = int(keyed.mix(derive_key("episode", self.seed), np.array([index]))[0] >> np.uint64(1))
        if self.source:
            return EpisodePlan(index, seed, split, {}, IMPORTED, self.steps)
        rng = episode_generator(seed, "plan")
        names = sorted(self.policy)
        edges = np.cumsum([self.policy[name] for name in names])
        policy = names[min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(names) - 1)]
        variation = WORLDS.get(self.world).world_spec.sample_variation(rng, unseen=split == "unseen")
        if self.shift is not None and self.shift.factor in variation:
            variation |= {self.shift.factor: self.shift.value}
        return EpisodePlan(index, seed, split, variation, policy, self.steps)

    def shards(self) -> list[ShardPlan]:
        """Returns all shards, version by version and split by split, each with its episodes in order."""
        return [self.shard(number) for number in range(self.shard_count)]

    @property
    def shard_count(self) -> int:
        """Returns the number of shards of all splits."""
        return sum(len(block.starts) for block in self._blocks())

    def shard(self, number: int) -> ShardPlan:
        """Returns one shard of `shards()`, without making the others.

        Raises:
            IndexError: the dataset has no such shard.
        """
        place = number
        for block in self._blocks():
            if 0 <= place < len(block.starts):
                start = block.starts[place]
                episodes = tuple(block.members[start : start + self.episodes_per_shard].tolist())
                suffix = FORMATS.get(self.format).suffix
                path = f"shards/{block.split}/shard-{block.first_ordinal + place:06d}.{suffix}"
                return ShardPlan(number, block.split, path, self._shard_digest(path, episodes), episodes)
            place -= len(block.starts)
        raise IndexError(f"shard {number} of {self.shard_count}")

    def _blocks(self) -> tuple["_Block", ...]:
        """Returns the runs of shards of one version and split; the last few plans are remembered."""
        shares = tuple(self.shares.get(split, 0.0) for split in SPLITS)
        return _blocks(self.seed, (0, *self.extends, self.episodes), shares, self.episodes_per_shard)

    def _shard_digest(self, path: str, episodes: tuple[int, ...]) -> str:
        # Without the numbers of episodes: a later version finds the shards of the earlier ones done.
        recipe = self.model_copy(update={"episodes": 1, "extends": ()}).fingerprint()
        return f"{derive_key(recipe, path, episodes):016x}"


def _splits(seed: int, start: int, end: int, shares: tuple[float, ...]) -> NDArray[np.int8]:
    first, last = start // STRATUM, -(-end // STRATUM)
    numbers = np.arange(first * STRATUM, last * STRATUM).reshape(-1, STRATUM)
    rank = keyed.mix(derive_key("split", seed), numbers).argsort(axis=1, kind="stable").argsort(axis=1)
    within = keyed.uniform(derive_key("share", seed), numbers)
    edges = np.cumsum(shares) / sum(shares)
    # The sum of shares is 1 but for rounding, which must not move an edge across a twentieth.
    place = np.searchsorted(edges - 1e-9, (rank + within) / STRATUM, side="right").reshape(-1)
    last_used = max(number for number, share in enumerate(shares) if share)
    return np.minimum(place, last_used).astype(np.int8)[start - first * STRATUM : end - first * STRATUM]


@dataclass(frozen=True)
class _Block:
    """The shards of one split that one version adds."""

    split: str
    first_ordinal: int
    """shards of this split that earlier versions hold"""
    members: NDArray[np.int64]
    starts: range
    """place in `members` of each shard's first episode"""


@lru_cache(maxsize=4)
def _blocks(seed: int, bounds: tuple[int, ...], shares: tuple[float, ...], per_shard: int) -> tuple[_Block, ...]:
    blocks: list[_Block] = []
    ordinals = dict.fromkeys(SPLITS, 0)
    for first, end in pairwise(bounds):
        place = _splits(seed, first, end, shares)
        for number, split in enumerate(SPLITS):
            members = first + np.flatnonzero(place == number)
            block = _Block(split, ordinals[split], members, range(0, len(members), per_shard))
            ordinals[split] += len(block.starts)
            blocks.append(block)
    return tuple(blocks)
