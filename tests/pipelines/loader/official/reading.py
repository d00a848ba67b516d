"""What the tests of both official readers share."""

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.loader import Loader, LoaderConfig, open_loader
from pipelines.store import Dataset
from tests.pipelines.loader.loading import clip_request

STEPS, FRAMESKIP = 9, 3


def opened(dataset: Dataset, kind: str, cache: Path, **changes: Any) -> Loader:
    """Returns a loader of that kind, whose clips lie within the chunks."""
    config = LoaderConfig(kind=kind, cache_folder=str(cache), windows_per_chunk=3)
    fields: dict[str, Any] = {"frameskip": FRAMESKIP, "batch_size": 6, "config": config}
    return open_loader(clip_request(dataset, "train", **fields | changes))


def assert_clips_are_those_of_the_episodes(dataset: Dataset, kind: str, cache: Path) -> None:
    """Reads into the second epoch and compares every frame and action block."""
    episodes = list(dataset.episodes("train"))
    frames = {frame.tobytes() for episode in episodes for frame in np.ascontiguousarray(episode.pixels)}
    actions = {e.action[t : t + STEPS].tobytes() for e in episodes for t in range(31 - STEPS)}
    seen = set()
    with opened(dataset, kind, cache) as loader:
        while loader.position()["epoch"] < 1:
            clips = next(loader)
            assert clips.pixels_BTHWC.shape == (6, 4, 32, 32, 3) and clips.action_BTKA.shape == (6, 3, FRAMESKIP, 2)
            assert {frame.tobytes() for clip in clips.pixels_BTHWC.numpy() for frame in clip} <= frames
            seen |= {action.tobytes() for action in clips.action_BTKA.numpy()}
        counters = loader.counters()
    assert seen <= actions and len(seen) > 60 and counters.cpu_seconds["decode"] > 0
