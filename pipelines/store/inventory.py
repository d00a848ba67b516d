"""What a store holds, what each thing was made from, and what depends on it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import committed_versions
from pipelines.store.datasets.layout import FOLDER as DATASETS
from pipelines.store.models.heads.handle import heads_of
from pipelines.store.models.layout import FOLDER as MODELS
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.reports.manifest import UnitManifest
from pipelines.store.reports.runs.plans import run_plans
from pipelines.store.reports.units import committed_units
from pipelines.store.verify import folders

READERS = 16
"""Names that are looked at at once: what is waited for is an object store's latency."""


class DatasetEntry(Config):
    """A committed version of a dataset."""

    dataset: str
    """`d0@2`"""
    newest: bool
    world: str
    episodes: int
    frames: int
    bytes: int
    """of its shards; versions of one name share those that are the same"""
    format: str
    codec: str
    digest: str
    shift_of: str | None = None
    """what it is a shift of, and how: `d0 with door 0.1`"""
    frame_every: int = 1
    """environment steps from one of its frames to the next"""


class ModelEntry(Config):
    """Committed weights of a model."""

    model: str
    """`m0@1a2b3c4d`"""
    newest: bool
    world: str
    objective: str
    parameters: int
    steps: int
    dataset: str
    """the version that it was trained on; the name alone where earlier code recorded no version"""
    init_from: str | None
    """the model whose weights it started from"""
    bytes: int | None
    """of its weights; none where they are lost"""
    digest: str


class HeadEntry(Config):
    """A head that was fitted on a model's latents."""

    head: str
    """`inverse-1a2b3c4d`"""
    model: str
    """`m0@1a2b3c4d`, on whose latents it was fitted"""
    dataset: str
    """the version whose train split it was fitted on"""
    privileged: bool
    parameters: int
    seed: int
    loss: float
    digest: str


class RunEntry(Config):
    """What was evaluated, or trained, under one name."""

    run: str
    units: int
    missing: int = 0
    """units that it lists and that are not done: an evaluation is under way, or was cut off"""
    models: tuple[str, ...]
    datasets: tuple[str, ...]
    studies: tuple[str, ...] = ()
    """whose cells it holds"""
    newest: datetime
    """when its newest unit was made; when it was planned, where none is done yet"""


class Inventory(Config):
    """All that is committed in a store."""

    datasets: tuple[DatasetEntry, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    heads: tuple[HeadEntry, ...] = ()
    runs: tuple[RunEntry, ...] = ()
    unfinished: tuple[str, ...] = ()
    """folders of datasets and models of which nothing is committed: under way, or cut off"""
    damaged: tuple[str, ...] = ()
    """sentences about what cannot be read"""


def inventory(store: Store) -> Inventory:
    """Returns what a store holds; what is damaged is named, and hides nothing else.

    Raises:
        InfraError: the store cannot be read.
    """
    damaged: list[str] = []
    unfinished: list[str] = []
    return Inventory(
        datasets=_all(store, DATASETS, dataset_entries, unfinished, damaged),
        models=_all(store, MODELS, model_entries, unfinished, damaged),
        heads=_all(store, MODELS, head_entries, [], damaged),
        runs=tuple(run_entries(store, damaged)),
        unfinished=tuple(unfinished),
        damaged=tuple(damaged),
    )


def dataset_entries(store: Store, name: str) -> list[DatasetEntry]:
    """Returns the committed versions of a dataset, the newest first; raises as `DatasetHandle.manifest`."""
    handle = DatasetHandle(store, name)
    numbers = committed_versions(store, handle.layout)
    found = [handle.manifest(number) for number in reversed(numbers)] or [handle.manifest()]
    return [
        DatasetEntry(
            dataset=str(manifest.reference),
            newest=place == 0,
            world=manifest.plan.world or "",
            episodes=manifest.total("episodes"),
            frames=manifest.total("frames"),
            bytes=manifest.total("bytes"),
            format=manifest.plan.format,
            codec=manifest.plan.codec,
            digest=manifest.reference.digest,
            shift_of=None if manifest.plan.shift is None else str(manifest.plan.shift),
            frame_every=manifest.plan.frame_every,
        )
        for place, manifest in enumerate(found)
        if manifest is not None
    ]


def model_entries(store: Store, name: str) -> list[ModelEntry]:
    """Returns the committed weights of a model, the newest first; raises as `ModelHandle.manifest`."""
    handle = ModelHandle(store, name)
    newest = handle.manifest()
    if newest is None:
        return []
    found = [handle.manifest(digest) for digest in handle.digests(newest)]
    return [
        ModelEntry(
            model=str(manifest.reference),
            newest=manifest.digest == newest.digest,
            world=manifest.world,
            objective=manifest.recipe.objective,
            parameters=manifest.parameters,
            steps=manifest.recipe.train.steps,
            dataset=str(manifest.dataset_ref or manifest.dataset),
            init_from=None if manifest.init_from is None else str(manifest.init_from),
            bytes=_size(store, handle.layout.weights(manifest.weights_sha256), handle.layout.early_weights),
            digest=manifest.digest,
        )
        for manifest in found
        if manifest is not None
    ]


def head_entries(store: Store, name: str) -> list[HeadEntry]:
    """Returns the heads of a model's name, in their names' order; raises as `read_head_manifest` does."""
    return [
        HeadEntry(
            head=manifest.name,
            model=str(manifest.request.model),
            dataset=str(manifest.request.dataset),
            privileged=manifest.privileged,
            parameters=manifest.parameters,
            seed=manifest.request.seed,
            loss=manifest.loss,
            digest=manifest.reference.digest,
        )
        for manifest in heads_of(store, name)
    ]


def run_entries(store: Store, damaged: list[str]) -> Iterator[RunEntry]:
    """Yields the runs of a store, the newest first; a sentence about what cannot be read is added to `damaged`."""
    try:
        units, plans = committed_units(store), run_plans(store)
    except InfraError as error:
        damaged.append(str(error))
        return
    by_run: dict[str, dict[str, UnitManifest]] = {}
    by_key = {unit.key: unit for unit in units}
    for unit in units:
        by_run.setdefault(unit.run, {})[unit.key] = unit
    missing: dict[str, set[str]] = {}
    planned: dict[str, datetime] = {}
    for plan in plans:
        listed = {key: by_key[key] for key in plan.units if key in by_key}
        by_run.setdefault(plan.run, {}).update(listed)
        missing.setdefault(plan.run, set()).update(set(plan.units) - listed.keys())
        planned[plan.run] = plan.created_at
    entries = [
        RunEntry(
            run=run,
            units=len(held),
            missing=len(missing.get(run, ())),
            models=tuple(
                sorted({unit.model_text for unit in held.values() if unit.model and unit.training_step is None})
            ),
            datasets=tuple(sorted({unit.dataset_text for unit in held.values() if unit.dataset})),
            studies=tuple(sorted({unit.study for unit in held.values()} - {""})),
            newest=max((unit.created_at for unit in held.values()), default=planned.get(run)),
        )
        for run, held in by_run.items()
    ]
    yield from sorted(entries, key=lambda entry: entry.newest, reverse=True)


Entry = TypeVar("Entry", DatasetEntry, ModelEntry, HeadEntry)


def _all(
    store: Store,
    root: str,
    entries: Callable[[Store, str], list[Entry]],
    unfinished: list[str],
    damaged: list[str],
) -> tuple[Entry, ...]:
    """Returns the entries of all names under a folder, and files what has none."""

    def look(name: str) -> list[Entry] | InfraError:
        try:
            return entries(store, name)
        except InfraError as error:
            return error

    names = folders(store, root)
    found: list[Entry] = []
    with ThreadPool(READERS, "inventory") as pool:
        for name, held in zip(names, pool.map(look, names), strict=True):
            if isinstance(held, InfraError):
                damaged.append(str(held))
            elif held:
                found += held
            else:
                unfinished.append(f"{root}/{name}")
    return tuple(found)


def _size(store: Store, *paths: str) -> int | None:
    """Returns the size of the first of some files that is there."""
    for path in paths:
        try:
            return store.size(path)
        except FileNotFoundError:
            continue
    return None
