"""How near the loader's schedule comes to a full shuffle, by the episodes of successive batches.

For each setting: the share of a batch's episodes that the next batch holds too, the lag-1 correlation of the batches'
mean episode number, and the spread of that mean over the one of independent draws; a full shuffle stands beside them.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.loader.native.schedule import EpochSchedule

EPISODES, WINDOWS, BATCH = 4000, 50, 64
SETTINGS = {"8 windows, 2 chunks": (8, 2), "8 windows, 1 chunk": (8, 1), "1 window, 2 chunks": (1, 2)}


def shuffle_quality(batches: int = 300) -> dict[str, dict[str, Any]]:
    """Returns the three figures of each setting, for 4,000 episodes of one chunk with 50 windows each."""
    rng = np.random.default_rng(0)
    full = rng.permutation(np.repeat(np.arange(EPISODES), WINDOWS))[: batches * BATCH].reshape(batches, BATCH)
    result = {"a full shuffle": figures(full)}
    for name, (windows, chunks) in SETTINGS.items():
        schedule = EpochSchedule(
            np.full(EPISODES, WINDOWS),
            seed=0,
            epoch=0,
            batch_size=BATCH,
            windows_per_chunk=windows,
            shuffle_chunks=chunks,
        )
        episodes = np.array([[window.chunk for window in schedule.batch(number)] for number in range(batches)])
        result[name] = figures(episodes)
    return result


def figures(episodes: NDArray[np.int64]) -> dict[str, Any]:
    """Returns the figures of batches of episodes, (batches, B)."""
    means = episodes.mean(axis=1)
    shared = [np.isin(after, before).mean() for before, after in pairwise(episodes)]
    expected = episodes.std() / np.sqrt(episodes.shape[1])
    return {
        "shared_with_next": round(float(np.mean(shared)), 4),
        "lag1_correlation": round(float(np.corrcoef(means[1:], means[:-1])[0, 1]), 3),
        "spread": round(float(means.std() / expected), 3),
        "twice_in_a_batch": round(float(np.mean([len(row) - len(set(row.tolist())) for row in episodes])), 3),
    }


if __name__ == "__main__":
    for setting, values in shuffle_quality().items():
        print(f"{setting}: {values}")
