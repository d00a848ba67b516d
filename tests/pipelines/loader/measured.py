"""What a loader takes, measured in a process of its own where nothing else grows; the benchmark uses it too.

`python -m tests.pipelines.loader.measured first_batch|many_batches STORE` prints the figures as JSON.
"""

import gc
import json
import subprocess
import sys
import time

import psutil

from infra.storage import open_store
from pipelines.loader import LoaderConfig
from pipelines.store import Dataset
from tests.conftest import ROOT
from tests.pipelines.loader.loading import native_loader


def measured(what: str, store: str) -> dict[str, float]:
    """Returns the figures of one of the functions below."""
    command = [sys.executable, "-m", "tests.pipelines.loader.measured", what, store]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def first_batch(store: str) -> dict[str, float]:
    """Returns what the first batch of dataset `large` takes, and how many clips there are."""
    process, started = psutil.Process(), time.perf_counter()
    before = process.memory_info().rss
    config = LoaderConfig(threads=2)
    with native_loader(Dataset(open_store(store), "large"), frameskip=5, batch_size=64, config=config) as loader:
        next(loader)
        seconds, grown = time.perf_counter() - started, process.memory_info().rss - before
        return {"clips": loader.clips, "megabytes": grown / 2**20, "seconds": seconds}


def many_batches(store: str) -> dict[str, float]:
    """Returns by how much the process grows from the thousandth batch of dataset `small` on."""
    grown = []
    with native_loader(Dataset(open_store(store), "small")) as loader:
        for batches in (1000, 6000):
            for _ in range(batches):
                next(loader)
            gc.collect()
            grown.append(psutil.Process().memory_info().rss)
    return {"megabytes": (grown[1] - grown[0]) / 2**20}


if __name__ == "__main__":
    print(json.dumps({"first_batch": first_batch, "many_batches": many_batches}[sys.argv[1]](sys.argv[2])))
