"""What lies in a store and belongs to nothing that is committed or works: left by what was killed or replaced.

Nothing that a manifest names is ever garbage, nor what a job that runs has made, nor what is younger than a limit;
and of what is damaged nothing is, for nobody knows what it named.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic_core import from_json

from infra.errors import InfraError
from infra.storage import Store
from infra.storage.store import TEMPORARY
from jepa.core.config import Config
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import FILE as DIGESTS
from pipelines.store.datasets.integrity.digests import committed_versions
from pipelines.store.datasets.layout import FOLDER as DATASETS
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.logs import job_statuses
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.claim import check_not_held
from pipelines.store.models.heads.verify import unnamed_files
from pipelines.store.models.layout import FOLDER as MODELS
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.processes import ended_records
from pipelines.store.removal import uses
from pipelines.store.reports.compaction.generation import is_left_over
from pipelines.store.reports.compaction.sweep import superseded_files
from pipelines.store.reports.problems import PROBLEMS, problems_path
from pipelines.store.reports.runs.plans import run_plans
from pipelines.store.reports.slices import is_of_attempt, sliced_units, slices_of
from pipelines.store.reports.units import Snapshot, look
from pipelines.store.sealed import unseal
from pipelines.store.verify import folders

RECORDS_STAY = timedelta(days=1)
"""How long the record of an ended process stays at least."""

Why = Literal[
    "unfinished write",
    "no committed version",
    "no manifest",
    "no mark",
    "superseded",
    "no figures",
    "no run",
    "ended attempt",
    "ended process",
]


class Garbage(Config):
    """A file that belongs to nothing."""

    path: str
    why: Why
    since: datetime
    """when it was written"""


class Sweep(Config):
    """What a look at a store found."""

    garbage: tuple[Garbage, ...] = ()
    left_out: tuple[str, ...] = ()
    """sentences about what was not looked at, for it is damaged or in use"""

    def lines(self) -> list[str]:
        """Returns what was found and what was not looked at, a line each."""
        found = [f"{one.why}: {one.path}" for one in self.garbage]
        return found + [f"not looked at: {sentence}" for sentence in self.left_out]


def find_garbage(store: Store, older_than: timedelta) -> Sweep:
    """Returns the files of a store that belong to nothing and were written longer ago than that.

    Raises:
        InfraError: the store cannot be read.
    """
    now = datetime.now(UTC)
    running = [job for job in job_statuses(store, now) if job.status == "running"]
    left_out: list[str] = []
    found: list[tuple[str, Why]] = []
    written = store.written()
    found += [(path, "unfinished write") for path in written if path.rpartition("/")[2].startswith(TEMPORARY)]
    for root, found_of in ((DATASETS, _of_dataset), (MODELS, _of_model)):
        for name in folders(store, root):
            if users := [job.job for job in running if uses(job, name)]:
                left_out.append(f"{root}/{name} is in use by {', '.join(users)}")
                continue
            try:
                found += found_of(store, name)
            except (InfraError, ValueError) as error:  # damaged, or held by a training
                left_out.append(f"{root}/{name} is left as it is: {error}")
    if running:
        left_out.append("reports are left as they are while a job runs")
    else:
        try:
            found += _of_reports(store, left_out)
        except InfraError as error:
            left_out.append(f"slices are left as they are: {error}")
    # What `jepa gc --orphans` goes by stays at least for a day, however young other files may be deleted.
    old = now - max(older_than, RECORDS_STAY)
    found += [(path, "ended process") for path in ended_records(store) if path in written and written[path] < old]
    garbage = [
        Garbage(path=path, why=why, since=written[path])
        for path, why in found
        if path in written and now - written[path] > older_than
    ]
    return Sweep(garbage=tuple(sorted(garbage, key=lambda one: one.path)), left_out=tuple(left_out))


def delete_garbage(store: Store, sweep: Sweep) -> None:
    """Deletes the files that a look has found."""
    for one in sweep.garbage:
        store.delete(one.path)


def _of_dataset(store: Store, name: str) -> Iterator[tuple[str, Why]]:
    """Yields the files that no committed version of a dataset names."""
    handle = DatasetHandle(store, name)
    manifests = [handle.require(number) for number in committed_versions(store, handle.layout)]
    named = {path for manifest in manifests for path in _named(handle, manifest)}
    if manifests:
        named |= {handle.layout.file(path) for path in ("manifest.json", *manifests[-1].files)}
    elif handle.manifest() is not None:
        return  # of the first code, which kept no versions
    for path in store.list(f"{handle.layout.root}/"):
        if path not in named:
            yield path, "no committed version"


def _named(handle: DatasetHandle, manifest: DatasetManifest) -> Iterator[str]:
    layout = handle.layout
    for file in ("manifest.json", "plan.json", DIGESTS, *manifest.files):
        yield layout.version(manifest.version, file)
    for shard in manifest.plan.shards():
        yield layout.marker(shard)
    for facts in manifest.shards:
        yield layout.file(facts.path)


def _of_model(store: Store, name: str) -> Iterator[tuple[str, Why]]:
    """Yields the states of a model that have no mark, and what no manifest of the model, or of its heads, names."""
    model = ModelHandle(store, name)
    check_not_held(model)
    checkpoints = Checkpoints(model)
    whole = tuple(model.layout.checkpoint(step, "") for step in checkpoints.steps())
    for path in store.list(model.layout.checkpoints):
        if not path.startswith(whole):
            yield path, "no mark"
    newest = model.manifest()
    if newest is None:
        return  # its training was cut off, and may go on
    manifests = [model.manifest(digest) for digest in model.digests(newest)]
    named = {model.layout.weights(manifest.weights_sha256) for manifest in manifests if manifest is not None}
    for path in store.list(f"{model.layout.root}/weights/"):
        if path not in named:
            yield path, "no manifest"
    for path in unnamed_files(store, model.layout):
        yield path, "no manifest"


def _of_reports(store: Store, left_out: list[str]) -> Iterator[tuple[str, Why]]:
    """Yields files of rows, and problems, that no unit's manifest names, of whatever version of the schema."""
    snapshot = look(store)
    generation = None if snapshot.compacted is None else snapshot.compacted.generation
    named = set() if generation is None else generation.named | {one.path for one in generation.parts}
    gone = set(superseded_files(store, snapshot))
    yield from ((path, "superseded") for path in sorted(gone))
    for path in snapshot.stamps:
        if path in gone:
            continue
        try:
            document = from_json(unseal(store.read(path)))
            named |= {str(part["path"]) for part in document["parts"]}
            named.add(problems_path(str(document.get("problems_digest"))))
        except FileNotFoundError:
            left_out.append("reports are left as they are: they are being compacted or removed; run it again")
            return
        except (ValueError, KeyError, TypeError) as error:
            left_out.append(f"reports are left as they are: {store.address(path)} is damaged ({type(error).__name__})")
            return
    rest = [path for path in store.list("reports/kind=") if path not in named and path not in gone]
    if any(is_left_over(path, generation) for path in rest):
        # It may still work, and nobody but the next one can make sure that it does not.
        left_out.append(
            "reports hold files of a compaction that works or was cut off; `jepa reports compact` deletes them"
        )
    yield from ((path, "superseded") for path in rest if not is_left_over(path, generation))
    for path in store.list(f"{PROBLEMS}/"):
        if path not in named:
            yield path, "no figures"
    yield from _of_slices(store, snapshot)


def _of_slices(store: Store, snapshot: Snapshot) -> Iterator[tuple[str, Why]]:
    """Yields the files of slices by which no evaluation that was cut off can go on."""
    listed = {key for plan in run_plans(store) for key in plan.units}
    for key, paths in sliced_units(store).items():
        if snapshot.standing(key) is not None:
            yield from ((path, "superseded") for path in paths)
        elif key not in listed:
            yield from ((path, "no run") for path in paths)
        else:
            named = {path for one in slices_of(store, key) for path in one.paths}
            for path in paths:
                if is_of_attempt(path):
                    yield path, "ended attempt"  # no job runs, and no other one looks there
                elif path not in named:
                    yield path, "no mark"
