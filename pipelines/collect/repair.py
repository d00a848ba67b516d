"""Makes again exactly what `verify` found damaged or missing, and nothing that would not come out the same."""

import hashlib
from functools import partial

from infra.errors import InfraError
from infra.progress import Progress
from jepa.core.errors import InputError
from pipelines.collect.config import WorkConfig
from pipelines.collect.hdf5 import open_source, read_shard
from pipelines.collect.job import ShardJob, ShardTask
from pipelines.collect.shard import Recorder, simulate
from pipelines.store.datasets.commit import gather, publish, read_markers, render_files
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.datasets.verify import VerifyReport, verify


def repair(
    dataset: DatasetHandle, work: WorkConfig, progress: Progress | None = None, file: str | None = None
) -> VerifyReport:
    """Verifies the newest version of a dataset, makes again what is wrong, and returns what it found.

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
    if report.ok:
        return report
    manifest = dataset.require()
    wrong = {problem.path for problem in report.problems}
    tasks = _tasks(dataset, manifest, wrong)
    if tasks:
        job = ShardJob(dataset, manifest.plan, work, _recorder(manifest.plan, dataset.name, file))
        with job.log() as log:
            job.repair(tasks, progress or Progress(), log)
    if wrong - {shard.path for shard in manifest.shards}:
        _restore_files(dataset, manifest)
        publish(dataset, manifest)
    return report


def _tasks(dataset: DatasetHandle, manifest: DatasetManifest, wrong: set[str]) -> list[ShardTask]:
    """Returns the damaged shards, and those without a marker, from which the indexes are made."""
    facts = manifest.shards
    return [
        ShardTask(shard.number, facts[shard.number].sha256)
        for shard, marker in read_markers(dataset, manifest.plan)
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


def _restore_files(dataset: DatasetHandle, manifest: DatasetManifest) -> None:
    """Writes the files beside the shards again, each only if it comes out as the manifest tells."""
    store, layout = dataset.store, dataset.layout
    gathered = gather(dataset, manifest.plan)
    files = render_files(manifest.name, manifest.plan, gathered, manifest.code_version, manifest.codec_trial)
    for path, digest in manifest.files.items():
        address = layout.version(manifest.version, path)
        if store.exists(address) and hashlib.sha256(store.read(address)).hexdigest() == digest:
            continue
        if hashlib.sha256(files[path]).hexdigest() != digest:
            raise InfraError(
                f"{path} of dataset {manifest.name!r} comes out with other bytes than its manifest tells: "
                "the code is another one; nothing was written"
            )
        store.write(address, files[path])
