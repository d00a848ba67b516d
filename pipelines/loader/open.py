"""Opens a loader of the kind that the configuration names."""

from collections.abc import Callable

from jepa.core.registry import Registry
from pipelines.loader.config import LoaderConfig
from pipelines.loader.loader import Loader
from pipelines.store.datasets.dataset import Dataset

LOADERS: Registry[Callable[..., Loader]] = Registry(
    "loader.kind",
    {
        "native": "pipelines.loader.native.clip_loader",
        "streaming": "pipelines.loader.official.streaming",
        "webdataset": "pipelines.loader.official.webdataset",
    },
)


def open_loader(
    dataset: Dataset,
    split: str,
    config: LoaderConfig,
    *,
    history: int,
    horizon: int,
    frameskip: int,
    batch_size: int,
    seed: int,
    rank: int = 0,
    world_size: int = 1,
) -> Loader:
    """Returns a loader of `config.kind`; the arguments are those of `ClipLoader`.

    Raises:
        InputError: the kind is unknown, or cannot read this split so.
    """
    return LOADERS.get(config.kind)(
        dataset,
        split,
        config,
        history=history,
        horizon=horizon,
        frameskip=frameskip,
        batch_size=batch_size,
        seed=seed,
        rank=rank,
        world_size=world_size,
    )
