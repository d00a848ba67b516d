"""What a split and a batch must fulfil before anything is read."""

from jepa.core.errors import InputError
from pipelines.loader.native.assemble import ClipShape
from pipelines.store.datasets.dataset import Dataset


def check_clip_each(batch_size: int, world_size: int) -> None:
    """Passes where every worker gets a clip of each batch.

    Raises:
        InputError: one gets none.
    """
    if batch_size < world_size:
        raise InputError(f"batch_size {batch_size} is less than workers {world_size}; take fewer workers")


def check_shares(batch_size: int, world_size: int) -> None:
    """Passes where a batch can be shared evenly.

    Raises:
        InputError: it cannot.
    """
    if batch_size < 1 or batch_size % world_size:
        raise InputError(
            f"batch_size {batch_size} cannot be shared by {world_size} workers; take a multiple of {world_size}"
        )


def check_enough(dataset: Dataset, split: str, clips: int, shape: ClipShape, batch_size: int) -> None:
    """Passes where a split fills a batch.

    Raises:
        InputError: it has fewer clips.
    """
    if clips < batch_size:
        raise InputError(
            f"split {split!r} of dataset {dataset.name!r} has {clips} clips of {shape.steps + 1} frames, too few for "
            f"one batch of {batch_size}; collect more episodes, or take a smaller batch_size, horizon or frameskip"
        )
