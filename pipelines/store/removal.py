"""Removes a dataset, a model, a head or a run from a store, unless something there depends on it or works on it.

What makes a thing exist is deleted first, so that a removal that is cut off leaves nothing that looks whole, and the
same removal goes on.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from infra.storage import Store
from jepa.core.config import Config
from jepa.core.errors import InputError
from pipelines.store.datasets.handle import DatasetHandle, dataset_names
from pipelines.store.datasets.layout import FOLDER as DATASETS
from pipelines.store.logs import JobStatus, job_statuses
from pipelines.store.models.claim import check_not_held, newest_claim
from pipelines.store.models.heads.handle import heads_of, models_with_head
from pipelines.store.models.layout import FOLDER as MODELS
from pipelines.store.models.layout import ModelLayout
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.references import check_name
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.compaction.withdraw import withdraw
from pipelines.store.reports.manifest import UnitManifest
from pipelines.store.reports.runs.plan import RUNS, plan_name
from pipelines.store.reports.runs.plans import look_at_plans, run_plans
from pipelines.store.reports.slices import slice_paths
from pipelines.store.reports.units import committed_units
from pipelines.store.verify import folders

Kind = Literal["dataset", "model", "head", "run"]


class Removal(Config):
    """What is to be removed."""

    kind: Kind
    name: str
    paths: tuple[str, ...]
    """in the order in which they are deleted"""
    units: tuple[str, ...] = ()
    """keys of a run's units that go"""
    plans: tuple[str, ...] = ()
    """stems of a run's plans"""
    kept: tuple[str, ...] = ()
    """keys of a run's units that another run lists, too, or for which they were done: they stay"""


def kinds_of(store: Store, name: str) -> list[Kind]:
    """Returns as what a store knows a name."""
    check_name("dataset, model, head or run", name)
    runs = {unit.run for unit in committed_units(store)} | {plan.run for plan in run_plans(store)}
    there: dict[Kind, bool] = {
        "dataset": name in folders(store, DATASETS),
        "model": name in folders(store, MODELS),
        "head": bool(models_with_head(store, name)),
        "run": name in runs,
    }
    return [kind for kind, found in there.items() if found]


def plan_removal(store: Store, kind: Kind, name: str) -> Removal:
    """Returns what a removal would delete.

    Raises:
        InputError: something that is in the store depends on it, or a job works on it now; the message names all.
        InfraError: a manifest is damaged, so that nobody knows what it depends on.
    """
    if kind == "model":
        check_not_held(ModelHandle(store, name))
    jobs = [job.job for job in job_statuses(store, datetime.now(UTC)) if job.status == "running" and uses(job, name)]
    if jobs:
        raise InputError(f"{kind} {name!r} is in use by {', '.join(jobs)}; wait for the end, or interrupt it")
    if users := list(dependents(store, kind, name)):
        raise InputError(f"{kind} {name!r} is not removed: {'; '.join(users)}; remove what depends on it first")
    if kind == "run":
        return _run(store, name)
    if kind == "head":
        return Removal(kind=kind, name=name, paths=tuple(_head_paths(store, name)))
    root = f"{DATASETS if kind == 'dataset' else MODELS}/{name}"
    return Removal(kind=kind, name=name, paths=tuple(sorted(store.list(f"{root}/"), key=_last_what_holds_the_name)))


def remove(store: Store, removal: Removal) -> None:
    """Deletes what was planned; what is gone already is no error.

    Compacted rows go in two steps: no reader finds them after the first, and the last writes their files again. Plans
    of a run go after its units: until then the store knows the name, so that a removal that is cut off can go on.
    """
    if removal.units:
        withdraw(store, removal.units)
    for path in (path for path in removal.paths if plan_name(path) is None):
        store.delete(path)
    if removal.plans:
        withdraw(store, plans=removal.plans)
    for path in (path for path in removal.paths if plan_name(path) is not None):
        store.delete(path)
    # Somebody may have begun to compact the store meanwhile, and have read what is deleted now.
    if (removal.units or removal.plans) and withdraw(store, removal.units, removal.plans, unseen=True):
        compact(store, take=False)


def dependents(store: Store, kind: Kind, name: str) -> Iterator[str]:
    """Yields a clause for each thing in the store that was made from a dataset, a model or a head."""
    if kind == "run":
        return
    if kind == "head":
        yield from _runs_of(store, [unit for unit in committed_units(store) if name in unit.heads])
        return
    for model in folders(store, MODELS):
        yield from _made_from(ModelHandle(store, model), kind, name)
        for head in heads_of(store, model):
            if kind == "dataset" and head.request.dataset.name == name:
                yield f"head {head.name!r} of model '{head.request.model}' was fitted on {head.request.dataset}"
    if kind == "dataset":
        yield from _shifts_of(store, name)
    units = [unit for unit in committed_units(store) if name == (unit.dataset if kind == "dataset" else unit.model)]
    yield from _runs_of(store, units)


def _runs_of(store: Store, units: Sequence[UnitManifest]) -> Iterator[str]:
    """Yields a clause for each run that holds some of the units."""
    runs = {unit.run for unit in units} | {
        plan.run for plan in run_plans(store) if not {unit.key for unit in units}.isdisjoint(plan.units)
    }
    for run in sorted(runs):
        yield f"run {run!r} holds figures of it"


def _shifts_of(store: Store, name: str) -> Iterator[str]:
    """Yields a clause for each dataset that is a shift of another one: its card says so of what must be there."""
    for other in dataset_names(store):
        manifest = DatasetHandle(store, other).manifest()
        if manifest is not None and manifest.plan.shift is not None and manifest.plan.shift.dataset == name:
            yield f"dataset {other!r} is {manifest.plan.shift}"


def _made_from(model: ModelHandle, kind: Kind, name: str) -> Iterator[str]:
    newest = model.manifest()
    found = [] if newest is None else [model.manifest(digest) for digest in model.digests(newest)]
    for manifest in found:
        if manifest is None:
            continue
        if kind == "dataset" and manifest.dataset == name:
            yield f"model '{manifest.reference}' was trained on {manifest.dataset_ref or manifest.dataset}"
        if kind == "model" and manifest.init_from is not None and manifest.init_from.name == name != model.name:
            yield f"model '{manifest.reference}' started from {manifest.init_from}"
    claim = newest_claim(model) if newest is None else None
    if claim is None:
        return
    if kind == "dataset" and claim.origin.dataset_ref.name == name:
        yield f"model {model.name!r} has begun to train on {claim.origin.dataset_ref}"
    if kind == "model" and claim.origin.init_from is not None and claim.origin.init_from.name == name:
        yield f"model {model.name!r} has begun to train from {claim.origin.init_from}"


def uses(job: JobStatus, name: str) -> bool:
    """Returns whether a job makes something of that name, or reads it."""
    read = [job.record.config.get(field) for field in ("dataset", "model", "init_from")]
    return name in (job.record.name, *(str(text).partition("@")[0] for text in read if text))


def _run(store: Store, run: str) -> Removal:
    plans = run_plans(store)
    listed = {key for plan in plans if plan.run == run for key in plan.units}
    others = {key for plan in plans if plan.run != run for key in plan.units}
    units = [unit for unit in committed_units(store) if unit.run == run or unit.key in listed]
    # One that was done for another run stays that run's, even where code of before wrote no plan of it.
    own = [unit for unit in units if unit.run == run and unit.key not in others]
    pages = [path for path in (f"reports/{run}/report.html",) if store.exists(path)]
    # Slices are of units that no run has whole yet, and nobody else will go on with these.
    slices = [path for key in sorted(listed - others) for path in slice_paths(store, key)]
    return Removal(
        kind="run",
        name=run,
        units=tuple(unit.key for unit in own),
        # A page can be drawn again at any time; where nothing else is left, nobody would find it.
        paths=(*pages, *_unit_paths(own), *slices, *store.list(f"{RUNS}/{run}/")),
        plans=tuple(look_at_plans(store, f"{run}/").stems(run)),
        kept=tuple(sorted({unit.key for unit in units} - {unit.key for unit in own})),
    )


def _head_paths(store: Store, name: str) -> Iterator[str]:
    for model in models_with_head(store, name):
        layout = ModelLayout(model)
        yield layout.head(name, "head.json")
        yield from (path for path in store.list(layout.head(name, "")) if not path.endswith("/head.json"))


def _unit_paths(units: Sequence[UnitManifest]) -> Iterator[str]:
    for unit in units:
        if all(part.place is None for part in unit.parts):
            yield unit.name.path
        yield from (part.path for part in unit.parts if part.place is None)


def _last_what_holds_the_name(path: str) -> tuple[bool, bool, str]:
    """Sorts what makes a version or weights exist first, and last the claims: who reads them sees that it was there."""
    name = path.rpartition("/")[2]
    makes = name in ("manifest.json", "digests.json", "config.json") or "/manifests/" in path or "/digests/" in path
    return "/claims/" in path or name == "plan.json", not makes, path
