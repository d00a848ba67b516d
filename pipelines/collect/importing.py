"""The importing job: a published HDF5 file becomes a dataset by the same machinery as a simulated one."""

from functools import partial

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from infra.progress import Progress
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from pipelines.collect.config import DEFAULT_SHARES, WorkConfig, shares_of
from pipelines.collect.hdf5 import open_source, read_shard
from pipelines.collect.job import make_dataset
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.plan import IMPORTED, DatasetPlan, ImportedFile
from pipelines.store.formats import FORMATS
from pipelines.store.references import check_name


class ImportConfig(WorkConfig):
    """A file to import."""

    file: str = Field(min_length=1)
    """HDF5 file with the columns pixels, action, ep_len and ep_offset; all workers must find it at this path"""
    name: str = "d0"
    """name of the dataset within the store"""
    world: str | None = None
    """registered name of the world that the file shows, for evaluations; by default none"""
    columns: tuple[str, ...] = ()
    """columns that become quantities of the state; by default `proprio` and `state`, where the file has them"""
    seed: NonNegativeInt = 0
    """seed by which episodes are split"""
    validation_share: NonNegativeFloat = DEFAULT_SHARES["validation"]
    """share of the episodes of the validation split"""
    test_share: NonNegativeFloat = DEFAULT_SHARES["test"]
    """share of the episodes of the test split"""
    episodes_per_shard: PositiveInt = 16
    """episodes of a shard, which is the unit of work"""
    chunk_frames: PositiveInt = 32
    """frames that are compressed and fetched together"""
    format: str = "mds"
    """container of the shards: `mds` or `webdataset`"""
    codec: str = "zstd"
    """codec of the frames: `zstd` or `raw`, both lossless, `jpeg` or `h264`"""


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
        InputError: the file has another layout, or a world, codec or container is unknown.
    """
    check_name("dataset", config.name)
    CODECS.get(config.codec)
    FORMATS.get(config.format)
    if config.world is not None and config.world not in WORLDS:
        raise InputError(f"world {config.world!r} is not known; choose one of: {', '.join(WORLDS.names())}")
    source = open_source(config.file, config.columns or None)
    return DatasetPlan(
        world=config.world or IMPORTED,
        world_options={"image_size": source.image_size},
        policy={IMPORTED: 1.0},
        episodes=len(source.lengths),
        steps=int(source.lengths.max()) - 1,
        seed=config.seed,
        shares=shares_of({"validation": config.validation_share, "test": config.test_share, "unseen": 0.0}),
        episodes_per_shard=config.episodes_per_shard,
        chunk_frames=config.chunk_frames,
        codec=config.codec,
        format=config.format,
        source=ImportedFile(sha256=source.digest(), columns=source.columns),
    )
