"""Makes again exactly what `verify` found damaged or missing, and nothing that would not come out the same."""

from functools import partial

from infra.progress import Progress
from jepa.core.errors import InputError
from pipelines.collect.config import WorkConfig
from pipelines.collect.imports.hdf5 import open_source, read_shard
from pipelines.collect.job import ShardJob, ShardTask
from pipelines.collect.shard import Recorder, simulate
from pipelines.store.datasets.commit import publish, read_markers, record_digests
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import committed_versions, read_digests
from pipelines.store.datasets.integrity.restore import restore_files, restore_manifests
from pipelines.store.datasets.integrity.verify import VerifyReport, verify
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import DatasetPlan


def repair(
    dataset: DatasetHandle, work: WorkConfig, progress: Progress | None = None, file: str | None = None
) -> VerifyReport:
    """Verifies a dataset, restores or makes again what is wrong, and returns what it found.

    Nothing is restored but from a source that is itself verified, or in bytes whose digest is known.

    Args:
        dataset: to be repaired.
        work: how shards are made.
        progress: shows the phase.
        file: the HDF5 file of a dataset that was imported.

    Raises:
        InputError: there is no such dataset, or an imported one's file is not given or another one.
        InfraError: something comes out with other bytes than the manifest tells; that was not written.
    """
    report = verify(dataset)
    if not report.ok:
        restore_manifests(dataset)
        _repair_files(dataset, {problem.path for problem in report.problems}, work, progress or Progress(), file)
    for number in committed_versions(dataset.store, dataset.layout):
        # Of versions of earlier code, or of a file that was lost: written only where all documents agree.
        if read_digests(dataset.store, dataset.layout, number) is None:
            record_digests(dataset, dataset.require(number))
    return report


def _repair_files(
    dataset: DatasetHandle, wrong: set[str], work: WorkConfig, progress: Progress, file: str | None
) -> None:
    manifest = dataset.require()
    tasks = _tasks(dataset, manifest, wrong)
    if tasks:
        job = ShardJob(dataset, manifest.plan, work, _recorder(manifest.plan, dataset.name, file))
        with job.log() as log:
            job.repair(tasks, progress, log)
    if wrong - {shard.path for shard in manifest.shards}:
        for number in committed_versions(dataset.store, dataset.layout):
            restore_files(dataset, dataset.require(number))
        publish(dataset, manifest)


def _tasks(dataset: DatasetHandle, manifest: DatasetManifest, wrong: set[str]) -> list[ShardTask]:
    """Returns the damaged shards, and those without a marker, from which the indexes are made."""
    facts = manifest.shards
    return [
        ShardTask(shard.number, facts[shard.number].sha256)
        for shard, marker, _ in read_markers(dataset, manifest.plan)
        if marker is None or marker.facts != facts[shard.number] or facts[shard.number].path in wrong
    ]


def _recorder(plan: DatasetPlan, name: str, file: str | None) -> Recorder:
    if plan.source is None:
        return simulate
    if file is None:
        raise InputError(f"dataset {name!r} was imported; name its HDF5 file by --file")
    if open_source(file, plan.source.columns, plan.source.pixels).digest() != plan.source.sha256:
        raise InputError(f"file {file!r} is not the one that dataset {name!r} was imported from; its digest differs")
    return partial(read_shard, file)
