"""What the loader's comparison of digests costs: `python -m tests.bench.loading.bench_digests`, some 20 seconds.

Two native loaders read the first epoch of the same Push-T clips, 224×224, one of them as if every chunk had been
compared already. They are asked for in turn, a few batches each, so that other work on the machine slows both down
alike; the figure is the median of the pairs' ratios. `--json` prints the figures for a program.
"""

import argparse
import json
import statistics
import tempfile
import time
from typing import Any

from infra.storage import open_store
from pipelines.collect import CollectConfig, collect
from pipelines.loader import ClipRequest, LoaderConfig
from pipelines.loader.native.native_loader import NativeLoader
from pipelines.store import Dataset

TURN = 4
"""Batches that a loader is asked for in a row."""


def main() -> None:
    """Collects a little, measures, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=24)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        collect(
            CollectConfig(world="pusht", name="d0", episodes=arguments.episodes, image_size=224, executor="local"),
            store,
        )
        figures = paired(Dataset(store, "d0"), arguments.batches)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("reading with digests compared takes {ratio:.3f} times what it takes without".format(**figures))
        print("({pairs} pairs of {turn} batches, from {low:.3f} to {high:.3f} in the middle half)".format(**figures))


def paired(dataset: Dataset, batches: int, batch_size: int = 16) -> dict[str, Any]:
    """Returns the median of the ratio of seconds, compared over not compared, its quartiles and how many pairs."""
    with _loader(dataset, batch_size, compares=True) as compared, _loader(dataset, batch_size, compares=False) as other:
        for loader in (compared, other):
            _seconds(loader)  # threads start, and buffers are made
        ratios = []
        for turn in range(max(2, batches // TURN)):
            # Who goes first finds the caches colder.
            first, second = (compared, other) if turn % 2 else (other, compared)
            seconds = {id(first): _seconds(first), id(second): _seconds(second)}
            ratios.append(seconds[id(compared)] / seconds[id(other)])
        checks = {name: loader.counters().cpu_seconds["check"] for name, loader in (("with", compared), ("no", other))}
    low, ratio, high = statistics.quantiles(ratios, n=4)
    return {"ratio": ratio, "low": low, "high": high, "pairs": len(ratios), "turn": TURN, "check_seconds": checks}


def _loader(dataset: Dataset, batch_size: int, *, compares: bool) -> NativeLoader:
    # One thread and one window a chunk fetch and decode as they are asked: what is filled ahead is soon used up.
    config = LoaderConfig(windows_per_chunk=1, threads=1, memory_megabytes=1)
    clips: dict[str, Any] = {"history": 3, "horizon": 1, "frameskip": 5, "batch_size": batch_size, "seed": 0}
    loader = NativeLoader(ClipRequest(dataset=dataset, config=config, **clips))
    if not compares:
        loader._fetcher._checked[:] = True
    return loader


def _seconds(loader: NativeLoader) -> float:
    began = time.perf_counter()
    for _ in range(TURN):
        next(loader)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
