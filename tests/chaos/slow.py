"""A small dataset that takes long enough to be disturbed: each shard sleeps before it is simulated."""

import hashlib
import os
import time
from collections.abc import Iterator

from infra.progress import Progress
from infra.storage import Store
from jepa.core.episodes import Episode
from pipelines.collect import CollectConfig, plan_dataset
from pipelines.collect.job import make_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle, DatasetManifest, DatasetPlan, ShardPlan
from tests.pipelines.small_dataset import stored_bytes

SECONDS = 0.3


def simulate_slowly(plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    """Yields what an undisturbed collector records."""
    time.sleep(SECONDS)
    return simulate(plan, shard)


def collect_slowly(config: CollectConfig, store: Store) -> DatasetManifest:
    """Collects as `collect` does."""
    return make_dataset(DatasetHandle(store, config.name), plan_dataset(config), config, simulate_slowly, Progress())


def dataset_digest(store: Store) -> str:
    """Returns one digest of all paths and bytes of the dataset `small`."""
    digest = hashlib.sha256()
    for path, data in sorted(stored_bytes(store).items()):
        digest.update(f"{path} {hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def wait_for_shards(store: Store, count: int, seconds: float = 120) -> None:
    """Returns when so many shards of `small` are done."""
    deadline = time.monotonic() + seconds
    while len(store.list("datasets/small/completed/")) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {count} shards after {seconds} s")
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    """Returns whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(process: int | None = None) -> list[int]:
    """Returns the processes that a process has started."""
    with open(f"/proc/{process or os.getpid()}/task/{process or os.getpid()}/children") as file:
        return [int(child) for child in file.read().split()]
