"""The importing job: a published HDF5 file becomes a dataset by the same machinery as a simulated one."""

from collections.abc import Mapping
from functools import partial

from infra.progress import Progress
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from jepa.worlds.recordings import lacking_quantities, lacking_sentence
from jepa.worlds.world import IMAGE_SIZES
from pipelines.collect.config import shares_of
from pipelines.collect.imports.config import ImportConfig, check_choices
from pipelines.collect.imports.hdf5 import Source, open_source, read_shard
from pipelines.collect.job import make_dataset
from pipelines.store.datasets.card import length_sentence
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import IMPORTED, DatasetPlan


def import_hdf5(config: ImportConfig, store: Store, progress: Progress | None = None) -> DatasetManifest:
    """Imports a file, or what is missing of it, and returns the dataset's manifest; done already, it does nothing.

    Raises:
        InputError: the file or the configuration is wrong, or the name belongs to another plan.
        InfraError: the store cannot be used, or some shards failed again and again (the others are kept).
    """
    plan = plan_import(config)
    dataset = DatasetHandle(store, config.name)
    return make_dataset(dataset, plan, config, partial(read_shard, config.file), progress or Progress())


def plan_import(config: ImportConfig) -> DatasetPlan:
    """Returns the plan: the file's digest, its episodes, and how they are split and stored.

    Raises:
        InputError: the file has another layout or holds what cannot be stored, it does not show that world, or a world,
            codec or container is unknown.
    """
    check_choices(config)
    source = open_source(config.file, config.columns, config.pixels, config.world)
    if config.world is not None:
        _check_world(config.file, source, config.world)
    source.check_numbers()
    return DatasetPlan(
        world=config.world or IMPORTED,
        world_options={"image_size": source.image_size},
        policy={IMPORTED: 1.0},
        episodes=len(source.ranges.usable),
        steps=source.ranges.steps,
        seed=config.seed,
        shares=shares_of({"validation": config.validation_share, "test": config.test_share, "unseen": 0.0}),
        episodes_per_shard=config.episodes_per_shard,
        chunk_frames=config.chunk_frames,
        codec=config.codec,
        format=config.format,
        source=source.facts(),
    )


def import_notices(plan: DatasetPlan, quantities: Mapping[str, int]) -> list[str]:
    """Returns what is to be said of an import: what was skipped, and what its world needs and lacks."""
    notices = [sentence] if (sentence := length_sentence(plan, ())) else []
    if plan.world in WORLDS and (missing := lacking_quantities(plan.world, quantities)):
        notices.append(lacking_sentence(plan.world, missing))
    return notices


def _check_world(file: str, source: Source, world: str) -> None:
    """Passes where a file can show a world: actions, and quantities of the same name, are of the same size."""
    spec = WORLDS.get(world).world_spec
    remedy = "give the world that it shows, or none"
    if source.action_size != spec.action_size:
        raise InputError(
            f"file {file!r} has {source.action_size} values an action and world {world!r} takes {spec.action_size}; "
            f"{remedy}"
        )
    for name, size in source.sizes.items():
        if name in spec.recorded and spec.recorded[name] != size:
            raise InputError(
                f"quantity {name!r} of file {file!r} has {size} values and world {world!r} has {spec.recorded[name]}; "
                f"map other columns by --columns, or {remedy}"
            )
    low, high = IMAGE_SIZES
    if not low <= source.image_size <= high:
        raise InputError(
            f"file {file!r} has frames of {source.image_size} pixels and world {world!r} renders {low} to {high}; "
            f"{remedy}"
        )
