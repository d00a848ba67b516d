"""What is written beside the shards: a marker for each finished one, and the manifest that makes a dataset of them."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt, model_validator

from infra.storage import Store
from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from pipelines.store.datasets.integrity.bounds import Dimensions, Pixels
from pipelines.store.datasets.moments import Moments
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.references import DatasetRef
from pipelines.store.sealed import read_if_there, unseal
from pipelines.store.stored_path import StoredPath


class ChunkEntry(Config):
    """Where one chunk lies in its shard."""

    offset: NonNegativeInt
    length: NonNegativeInt
    episode: NonNegativeInt
    first_frame: NonNegativeInt
    frames: NonNegativeInt
    sha256: str


class EpisodeEntry(Config):
    """How one episode was made."""

    stored_as: ClassVar[Mapping[str, str]] = {"behaviour": "policy"}

    episode: int
    seed: int
    policy: str
    steps: int
    variation: dict[str, float]


class ShardFacts(Config):
    """What a shard's bytes are."""

    path: StoredPath
    """relative to the dataset's folder"""
    split: str
    bytes: NonNegativeInt
    sha256: str
    episodes: NonNegativeInt
    chunks: NonNegativeInt
    frames: NonNegativeInt


class CoverageEntry(Config):
    """What a shard's episodes covered of their world, see `jepa.worlds.coverage`."""

    visited: str | None
    """the grid's cells as bits in hexadecimal; none where the world has no such grid"""
    moved_steps: dict[str, int]
    steps: int


class ShardManifest(Config):
    """The completion marker of a shard: it exists only after the shard's bytes were written and read back."""

    plan_digest: str
    """of the shard's plan; a marker of another plan counts for nothing"""
    facts: ShardFacts
    image_size: tuple[Pixels, Pixels]
    """height and width in pixels"""
    statistics: dict[str, Moments]
    """of `action` and `state/<name>`"""
    coverage: CoverageEntry | None
    """none of episodes that were not simulated"""
    episodes: tuple[EpisodeEntry, ...]
    chunks: tuple[ChunkEntry, ...]


CONTENT = {
    "schema_version",
    "version",
    "plan_digest",
    "image_size",
    "action_size",
    "quantities",
    "statistics",
    "shards",
}
"""Fields of a manifest, besides the plan, that make a dataset what it is."""


class DatasetManifest(Config):
    """What a reader must know of one version of a dataset."""

    schema_version: Literal[2] = 2
    name: str
    version: PositiveInt
    """1, and one more for each extension"""
    plan: DatasetPlan
    plan_digest: str
    code_version: str
    image_size: tuple[Pixels, Pixels]
    """height and width in pixels"""
    action_size: Dimensions
    quantities: dict[str, Dimensions]
    """dimensions of each quantity of the state"""
    statistics: dict[str, Moments]
    """of `action` and `state/<name>`, over the train split only"""
    codec_trial: dict[str, float]
    """bytes a frame of each codec that `auto` chose among; empty where the codec was given"""
    shards: tuple[ShardFacts, ...]
    """in the order of the plan"""
    files: dict[StoredPath, str]
    """SHA-256 of each file beside the shards, by its path in the dataset's folder"""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "DatasetManifest":
        sizes = {"action": self.action_size} | {f"state/{name}": size for name, size in self.quantities.items()}
        for name, moments in self.statistics.items():
            if len(moments.mean) != sizes.get(name):
                raise ValueError(
                    f"statistics of {name!r} are of {len(moments.mean)} numbers, and not {sizes.get(name)}"
                )
        for shard in self.shards:
            most = shard.episodes * self.plan.frames
            if not shard.episodes <= self.plan.episodes or not shard.chunks <= shard.frames <= most:
                raise ValueError(
                    f"shard {shard.path!r} cannot hold {shard.episodes} episodes in {shard.chunks} chunks of "
                    f"{shard.frames} frames: an episode has {self.plan.steps} steps and {self.plan.frames} frames"
                )
        return self

    @property
    def reference(self) -> DatasetRef:
        """Returns what names this version by its content; who wrote it, and by which code, is not part of it."""
        # Named one by one: a field that is added one day must not give old versions another digest.
        content = self.model_dump(mode="json", include=CONTENT)
        digest = digest_of(content | {"plan": self.plan.fingerprint()})
        return DatasetRef(name=self.name, version=self.version, digest=digest)

    def total(self, figure: str, split: str | None = None) -> int:
        """Returns the sum of `episodes`, `chunks`, `frames` or `bytes` over a split, or over all."""
        return sum(getattr(shard, figure) for shard in self.shards if split in (None, shard.split))


def parse_marker(data: bytes) -> ShardManifest | None:
    """Returns the marker that a file holds, None where its bytes are not those that were written."""
    try:
        return ShardManifest.model_validate_json(unseal(data))
    except ValueError:
        return None


def read_marker(store: Store, path: str) -> ShardManifest | None:
    """Returns a shard's marker, or None where there is none or it is not whole."""
    data = read_if_there(store, path)
    return None if data is None else parse_marker(data)


def check_same_plan(name: str, held: DatasetPlan, wanted: DatasetPlan) -> None:
    """Passes where both plans are equal.

    Raises:
        InputError: they are not; the message names every field in which they differ.
    """
    differing = [field for field in DatasetPlan.model_fields if getattr(held, field) != getattr(wanted, field)]
    if differing:
        listed = ", ".join(
            f"{field} {getattr(held, field)!r} and not {getattr(wanted, field)!r}" for field in differing
        )
        raise InputError(f"dataset {name!r} was collected with {listed}; choose another name or the same plan")


def continue_plan(name: str, held: DatasetPlan, wanted: DatasetPlan) -> DatasetPlan:
    """Returns the plan that leads from the held to the wanted episodes: the held one, or its extension.

    Raises:
        InputError: the plans differ in anything but the number of episodes, or fewer are wanted than held.
    """
    check_same_plan(name, held, wanted.model_copy(update={"episodes": held.episodes, "extends": held.extends}))
    if wanted.episodes < held.episodes:
        raise InputError(
            f"dataset {name!r} holds {held.episodes} episodes and episodes is {wanted.episodes}, but a dataset only "
            f"grows; ask for {held.episodes} or more, or choose another name"
        )
    if wanted.episodes == held.episodes:
        return held
    return held.model_copy(update={"episodes": wanted.episodes, "extends": (*held.extends, held.episodes)})
