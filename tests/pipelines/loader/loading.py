"""What the loader's tests share: requests for clips of a small dataset, and batches taken and compared."""

from typing import Any

import torch

from jepa.core.clips import Clips
from pipelines.loader import ClipRequest, Loader
from pipelines.loader.native.native_loader import NativeLoader
from pipelines.store import Dataset

HISTORY, HORIZON, FRAMESKIP = 3, 1, 4
STEPS = (HISTORY + HORIZON - 1) * FRAMESKIP
"""From a clip's first frame to its last: a clip of 13 frames reaches out of every chunk of 12."""
BATCH = 12


def clip_request(dataset: Dataset, split: str = "train", **changes: Any) -> ClipRequest:
    """Returns a request for batches of 12 clips, with some fields changed."""
    fields = {"history": HISTORY, "horizon": HORIZON, "frameskip": FRAMESKIP, "batch_size": BATCH, "seed": 0}
    return ClipRequest(dataset=dataset, split=split, **fields | changes)


def native_loader(dataset: Dataset, split: str = "train", **changes: Any) -> NativeLoader:
    """Returns the native loader of such a request."""
    return NativeLoader(clip_request(dataset, split, **changes))


def take(loader: Loader, count: int) -> list[Clips]:
    """Returns the next batches and closes the loader."""
    with loader:
        return [next(loader) for _ in range(count)]


def same(first: Clips, second: Clips) -> bool:
    """Returns whether two batches are equal in every part."""
    return (
        torch.equal(first.pixels_BTHWC, second.pixels_BTHWC)
        and torch.equal(first.action_BTKA, second.action_BTKA)
        and first.state.keys() == second.state.keys()
        and all(torch.equal(first.state[name], second.state[name]) for name in first.state)
    )


def all_same(some: list[Clips], others: list[Clips]) -> bool:
    """Returns whether equally many batches are equal."""
    return len(some) == len(others) and all(same(*pair) for pair in zip(some, others, strict=True))


def part(clips: Clips, start: int, end: int) -> Clips:
    """Returns some rows of a batch."""
    state = {name: values[start:end] for name, values in clips.state.items()}
    return Clips(clips.pixels_BTHWC[start:end], clips.action_BTKA[start:end], state)
