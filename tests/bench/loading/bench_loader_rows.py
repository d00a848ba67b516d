"""One row of the loaders' benchmark, in a process of its own: `python -m tests.bench.loading.bench_loader_rows ROW`."""

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

HISTORY, HORIZON, FRAMESKIP, BATCH = 3, 1, 5, 64
NAMES = {"native": "pusht", "streaming": "pusht", "webdataset": "pusht-tar"}


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row", choices=["native", "streaming", "webdataset", "lance"])
    parser.add_argument("--store", required=True)
    parser.add_argument("--cache", default=None)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=40)
    parser.add_argument("--memory", type=int, default=2048)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    measure = _lance if arguments.row == "lance" else _ours
    print(json.dumps(measure(arguments)))


def _ours(arguments: argparse.Namespace) -> dict[str, Any]:
    from infra.storage import open_store
    from pipelines.loader import ClipRequest, LoaderConfig, open_loader
    from pipelines.store import Dataset

    base = psutil.Process().memory_info().rss
    started = time.perf_counter()
    dataset = Dataset(open_store(arguments.store), NAMES[arguments.row])
    config = LoaderConfig(
        kind=arguments.row,
        windows_per_chunk=arguments.windows,
        threads=2,
        cache_folder=arguments.cache,
        memory_megabytes=arguments.memory,
    )
    request = ClipRequest(
        dataset=dataset,
        history=HISTORY,
        horizon=HORIZON,
        frameskip=FRAMESKIP,
        batch_size=BATCH,
        seed=0,
        config=config,
    )
    with open_loader(request) as loader:
        figures = _run(loader, arguments, started, base)
        counters = loader.counters()
    figures["cpu_us_a_clip"] = {name: round(value, 1) for name, value in counters.cpu_microseconds_per_clip().items()}
    figures["requests"] = counters.requests
    return figures


def _lance(arguments: argparse.Namespace) -> dict[str, Any]:
    import torch
    from stable_worldmodel.data.formats.lance import LanceDataset

    base = psutil.Process().memory_info().rss
    started = time.perf_counter()
    dataset = LanceDataset(f"{arguments.store}/pusht.lance", frameskip=FRAMESKIP, num_steps=HISTORY + HORIZON)
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_size=BATCH,
        shuffle=True,
        num_workers=2,
        prefetch_factor=4,
        persistent_workers=True,
        drop_last=True,
    )

    def forever() -> Iterator[Any]:
        while True:
            yield from loader

    return _run(forever(), arguments, started, base)


def _run(batches: Iterator[Any], arguments: argparse.Namespace, started: float, base: int) -> dict[str, Any]:
    next(batches)
    first = time.perf_counter() - started
    process = psutil.Process()
    grown = process.memory_info().rss - base
    for _ in range(arguments.warm_up):
        next(batches)
    began, busy = time.perf_counter(), _cpu(process)
    for _ in range(arguments.batches):
        next(batches)
    seconds, busy = time.perf_counter() - began, _cpu(process) - busy
    clips = BATCH * arguments.batches
    return {
        "clips_per_second": round(clips / seconds),
        "clips_per_cpu_second": round(clips / busy),
        "first_batch_seconds": round(first, 2),
        "first_batch_megabytes": round(grown / 2**20),
        "megabytes": round(process.memory_info().rss / 2**20),
    }


def _cpu(process: psutil.Process) -> float:
    """Returns the CPU seconds of this process, to the nanosecond, and of its workers, in the ticks the kernel tells."""
    return time.process_time() + sum(sum(one.cpu_times()[:2]) for one in process.children(recursive=True))


def lance_folder(store: str) -> Path:
    """Returns where the peer's table lies."""
    return Path(store) / "pusht.lance"


if __name__ == "__main__":
    main()
