"""The collecting job: claim the name, make the shards that are missing, commit."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from infra.observability.event_log import event
from infra.progress import Progress
from infra.storage import Store
from pipelines.collect.codec_choice import AUTO, choose_codec
from pipelines.collect.config import CollectConfig, WorkConfig, plan_dataset
from pipelines.collect.limits import check_room
from pipelines.collect.metrics import Figures
from pipelines.collect.name_claim import check_claimed, claim_version, log_folder
from pipelines.collect.shard import Recorder, find_shard, make_shard, simulate
from pipelines.executor import JobLog, run_units
from pipelines.store.datasets.commit import commit, publish, read_markers
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.manifest import (
    DatasetManifest,
    ShardFacts,
    continue_plan,
)
from pipelines.store.datasets.plan import DatasetPlan

log = logging.getLogger(__name__)


class ShardTask(NamedTuple):
    """A unit of work: a shard's number and, where a manifest already lists the shard, its SHA-256."""

    number: int
    expected: str | None = None


class ShardResult(NamedTuple):
    """The few figures of a shard; its marker, with all rows, stays in the store."""

    facts: ShardFacts
    made: bool
    """False where it was found done"""


def collect(config: CollectConfig, store: Store, progress: Progress | None = None) -> DatasetManifest:
    """Collects a dataset, or what is missing of it, and returns its manifest; done already, it does nothing.

    A dataset of the same plan that has fewer episodes is extended by a new version; the old one stays readable.

    Raises:
        InputError: the configuration is wrong, or the name belongs to another plan.
        InfraError: the store cannot be used, or some shards failed again and again (the others are kept).
    """
    plan = plan_dataset(config)
    trial = choose_codec(plan)[1] if config.codec == AUTO else {}
    return make_dataset(DatasetHandle(store, config.name), plan, config, simulate, progress or Progress(), trial)


def make_dataset(
    dataset: DatasetHandle,
    wanted: DatasetPlan,
    work: WorkConfig,
    record: Recorder,
    progress: Progress,
    codec_trial: dict[str, float] | None = None,
) -> DatasetManifest:
    """Makes a dataset, or what is missing of it, whose episodes come from `record`; see `collect`."""
    held = dataset.manifest()
    plan = wanted if held is None else continue_plan(dataset.name, held.plan, wanted)
    if held is not None and plan == held.plan:
        publish(dataset, held)  # for one that was committed and then cut off; where all is whole, nothing is written
        return held
    check_room(plan, dataset.store, 0 if held is None else held.plan.episodes)
    dataset.store.check()
    claim_version(dataset, plan, 0 if held is None else len(held.shards))
    job = ShardJob(dataset, plan, work, record)
    with job.log() as job_log:
        check_claimed(dataset, plan)  # from now on others see that somebody works under this plan
        job.run(job.missing(held), progress, job_log)
        committed = commit(dataset, plan, codec_trial)
        reference = committed.manifest.reference
        event("dataset committed", digest=reference.digest, frames=committed.manifest.total("frames"))
    if not committed.ours:
        log.warning(
            "version %d of dataset %r was committed by another run of the same plan; its bytes are the same",
            plan.version,
            dataset.name,
        )
    return committed.manifest


@dataclass(frozen=True)
class ShardJob:
    """Some shards of a dataset, made by several workers at once."""

    dataset: DatasetHandle
    plan: DatasetPlan
    work: WorkConfig
    record: Recorder

    def missing(self, held: DatasetManifest | None) -> list[ShardTask]:
        """Returns the shards that an extension adds, and those of the held version whose markers are gone."""
        old = 0 if held is None else len(held.shards)
        tasks = [ShardTask(number) for number in range(old, self.plan.shard_count)]
        if held is None:
            return tasks
        facts = held.shards
        again = [
            ShardTask(shard.number, facts[shard.number].sha256)
            for shard, marker, _ in read_markers(self.dataset, self.plan, old)
            if marker is None or marker.facts != facts[shard.number]
        ]
        return again + tasks

    def log(self) -> JobLog:
        """Returns the job's log, to be opened around `run` and what follows from it."""
        about = {"dataset": f"{self.dataset.name}@{self.plan.version}"}
        return JobLog(log_folder(self.dataset), self.work, lambda task: self.plan.shard(task.number).name, about)

    def run(self, tasks: list[ShardTask], progress: Progress, job_log: JobLog) -> None:
        """Makes those of the shards that are not done.

        Raises:
            InfraError: some failed again and again; the others are kept.
        """
        self._run(_find_or_make, tasks, progress, job_log)

    def repair(self, tasks: list[ShardTask], progress: Progress, job_log: JobLog) -> None:
        """Makes the shards, done or not; raises as `run` does."""
        self._run(_make, tasks, progress, job_log)

    def _run(
        self, unit: Callable[..., ShardResult], tasks: list[ShardTask], progress: Progress, job_log: JobLog
    ) -> None:
        episodes = sum(len(self.plan.shard(task.number).episodes) for task in tasks)
        with progress.with_sink(job_log).phase(f"collect {self.dataset.name}", episodes, "episodes") as phase:
            figures = Figures(phase, self.dataset.name, episodes)
            run_units(
                partial(unit, self.plan, self.dataset, self.record),
                tasks,
                executor=self.work.executor,
                workers=self.work.actors,
                cpus_each=self.work.cpus,
                retries=self.work.retries,
                stall_seconds=self.work.stall_seconds,
                on_result=lambda _, result: figures.shard_done(result.facts, result.made),
                on_retry=lambda _, error: figures.retried(),
                name=self._describe,
                log=job_log,
            )

    def _describe(self, task: ShardTask) -> str:
        shard = self.plan.shard(task.number)
        first, last = (self.plan.episode_plan(shard.episodes[place]) for place in (0, -1))
        return (
            f"{shard.name}, dataset seed {self.plan.seed}, episodes {first.index} to {last.index} "
            f"with seeds {first.seed} to {last.seed}"
        )


def _find_or_make(plan: DatasetPlan, dataset: DatasetHandle, record: Recorder, task: ShardTask) -> ShardResult:
    done = find_shard(plan, task.number, dataset)
    return ShardResult(done.facts, made=False) if done else _make(plan, dataset, record, task)


def _make(plan: DatasetPlan, dataset: DatasetHandle, record: Recorder, task: ShardTask) -> ShardResult:
    return ShardResult(make_shard(plan, task.number, dataset, record, task.expected).facts, made=True)
