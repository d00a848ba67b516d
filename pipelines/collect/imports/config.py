"""What `import-hdf5` is asked to do; apart from what does it, so that it is read without h5py and pyarrow."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from jepa.core.errors import InputError
from jepa.core.registries.choices import Choices
from jepa.worlds import WORLDS
from pipelines.collect.config import DEFAULT_SHARES, WorkConfig
from pipelines.collect.imports.hdf5_layout import FRAMES
from pipelines.store.codecs import CODECS
from pipelines.store.formats import FORMATS
from pipelines.store.references import check_name


class ImportConfig(WorkConfig):
    """A file to import."""

    file: str = Field(min_length=1)
    """HDF5 file with the columns pixels, action, ep_len and ep_offset; all workers must find it at this path"""
    name: str = "d0"
    """name of the dataset within the store"""
    world: Annotated[str | None, Choices(WORLDS.names, others="gymnasium:… or one of yours")] = None
    """registered name of the world that the file shows, for evaluations; by default none"""
    columns: tuple[str, ...] = ()
    """what becomes quantities of the state: `state`, or `agent_position=state[0:2]`; by default what is known of
    published files of the world, else `proprio` and `state` where the file has them"""
    pixels: str = Field(FRAMES, min_length=1)
    """column of the frames, for a file with several cameras"""
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
    format: Annotated[str, Choices(FORMATS.names)] = "mds"
    """container of the shards: `mds` or `webdataset`"""
    codec: Annotated[str, Choices(CODECS.names)] = "zstd"
    """codec of the frames: `zstd` or `raw`, both lossless, `jpeg` or `h264`"""


def check_choices(config: ImportConfig) -> None:
    """Passes where name, codec, container and world can be; imports nothing that takes seconds.

    Raises:
        InputError: the name cannot be one, or one of the others is unknown.
    """
    check_name("dataset", config.name)
    CODECS.get(config.codec)
    FORMATS.get(config.format)
    if config.world is not None and config.world not in WORLDS:
        raise InputError(f"world {config.world!r} is not known; choose one of: {', '.join(WORLDS.choices())}")
