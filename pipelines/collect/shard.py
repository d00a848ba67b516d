"""One unit of collecting: record the episodes, encode, write, read back, mark as done."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from infra.errors import InfraError
from jepa.core.config import to_json
from jepa.core.episodes import Episode
from jepa.worlds import collect_episodes
from pipelines.executor import beat
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.chunk import cut_episode
from pipelines.store.datasets.coverage import covered
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.manifest import (
    ChunkEntry,
    CoverageEntry,
    EpisodeEntry,
    ShardFacts,
    ShardManifest,
    read_marker,
)
from pipelines.store.datasets.moments import Moments, merge_all
from pipelines.store.datasets.plan import DatasetPlan, ShardPlan
from pipelines.store.formats import FORMATS, Span
from pipelines.store.formats.container import StoredChunk
from pipelines.store.sealed import seal

Recorder = Callable[[DatasetPlan, ShardPlan], Iterator[Episode]]
"""Yields a shard's episodes in its order, a few of them in memory at a time; importable, for workers run it."""


def simulate(plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    """Records episodes in the plan's world."""
    plans = [plan.episode_plan(index) for index in shard.episodes]
    return collect_episodes(plan.world, plan.world_options, plans, beat, plan.frame_every)


def collect_shard(
    plan: DatasetPlan, number: int, dataset: DatasetHandle, record: Recorder = simulate, expected: str | None = None
) -> ShardManifest:
    """Makes one shard of a dataset unless it is done, and returns its marker.

    Args:
        plan: of the dataset.
        number: of the shard.
        dataset: where it goes.
        record: where the episodes come from.
        expected: SHA-256 that the shard must have, where a manifest already lists it; other bytes are not written.

    Raises:
        InfraError: the store failed or gave back other bytes than were written, or they are not the expected ones.
    """
    return find_shard(plan, number, dataset) or make_shard(plan, number, dataset, record, expected)


def find_shard(plan: DatasetPlan, number: int, dataset: DatasetHandle) -> ShardManifest | None:
    """Returns the marker of a shard that is done, whose bytes are read again to be sure; None of any other."""
    shard = plan.shard(number)
    marker = read_marker(dataset.store, dataset.layout.marker(shard))
    return marker if marker is not None and _holds(dataset, shard, marker) else None


def make_shard(
    plan: DatasetPlan, number: int, dataset: DatasetHandle, record: Recorder, expected: str | None
) -> ShardManifest:
    """Makes one shard, whether it is there or not, and returns its marker; see `collect_shard`."""
    shard, store, layout = plan.shard(number), dataset.store, dataset.layout
    draft = _Draft()
    chunks = [chunk for episode in record(plan, shard) for chunk in draft.take(plan, episode)]
    data, spans = FORMATS.get(plan.format).pack(chunks, CODECS.get(plan.codec).suffix)
    marker = _describe(shard, data, spans, chunks, draft)
    if expected not in (None, marker.facts.sha256):
        raise InfraError(
            f"{shard.path} of dataset {dataset.name!r} comes out with other bytes than its manifest tells: "
            "the code, the renderer or the kind of machine is another one; nothing was written"
        )
    store.write(layout.file(shard.path), data)
    if not _holds(dataset, shard, marker):
        raise InfraError(f"{store.address(layout.file(shard.path))} gives back other bytes than were written to it")
    store.write(layout.marker(shard), seal(to_json(marker)))
    return marker


@dataclass
class _Draft:
    """What is gathered of the episodes while their frames pass by."""

    episodes: list[EpisodeEntry] = field(default_factory=list)
    statistics: dict[str, Moments] = field(default_factory=dict)
    coverage: CoverageEntry | None = None

    def take(self, plan: DatasetPlan, episode: Episode) -> Iterator[StoredChunk]:
        """Notes an episode and yields its chunks, so that its raw frames can go."""
        entry = EpisodeEntry(
            episode=episode.index,
            seed=episode.seed,
            policy=episode.policy,
            steps=episode.steps,
            variation=dict(episode.variation),
        )
        self.episodes.append(entry)
        arrays = {"action": episode.action} | {f"state/{name}": values for name, values in episode.state.items()}
        self.statistics = merge_all(self.statistics, {name: Moments.of(rows) for name, rows in arrays.items()})
        self.coverage = covered(plan, episode, self.coverage)
        yield from cut_episode(episode, plan.chunk_frames, CODECS.get(plan.codec))
        beat()


def _holds(dataset: DatasetHandle, shard: ShardPlan, marker: ShardManifest) -> bool:
    """Returns whether the store holds the very bytes that the marker describes, and the marker is this plan's."""
    if marker.plan_digest != shard.digest:
        return False
    try:
        data = dataset.store.read(dataset.layout.file(shard.path))
    except FileNotFoundError:
        return False
    return hashlib.sha256(data).hexdigest() == marker.facts.sha256


def _describe(
    shard: ShardPlan, data: bytes, spans: list[Span], chunks: list[StoredChunk], draft: _Draft
) -> ShardManifest:
    entries = tuple(
        ChunkEntry(
            offset=span.offset,
            length=span.length,
            episode=chunk.episode,
            first_frame=chunk.first_frame,
            frames=chunk.frames,
            sha256=hashlib.sha256(data[span.offset : span.offset + span.length]).hexdigest(),
        )
        for chunk, span in zip(chunks, spans, strict=True)
    )
    facts = ShardFacts(
        path=shard.path,
        split=shard.split,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        episodes=len(shard.episodes),
        chunks=len(chunks),
        frames=sum(chunk.frames for chunk in chunks),
    )
    return ShardManifest(
        plan_digest=shard.digest,
        facts=facts,
        image_size=(chunks[0].height, chunks[0].width),
        statistics=draft.statistics,
        coverage=draft.coverage,
        episodes=tuple(draft.episodes),
        chunks=entries,
    )
