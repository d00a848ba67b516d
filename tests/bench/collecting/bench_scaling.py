"""How collecting scales from 1 to 16 actors, with a world that sleeps.

`python -m tests.bench.collecting.bench_scaling`. Sleeping actors share no core, so what is lost to the linear rate is
ours: handing out shards, hearing of results.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from infra.progress import Progress
from infra.ray_cluster.connection import connect
from infra.settings import RaySettings
from infra.storage import open_store
from jepa.core.episodes import Episode
from pipelines.collect import CollectConfig, plan_dataset
from pipelines.collect.job import make_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle, DatasetPlan, ShardPlan
from tests.bench.collecting.bench_collect import Clock
from tests.bench.record import record

ACTORS = (1, 2, 4, 8, 16)
SECONDS = 4.0
"""What a shard's simulation takes: 2,000 frames of Push-T at 500 a second."""
SHARDS = 6
"""Shards for each actor."""
EPISODES = 2
"""Episodes of a shard."""


def sleep_and_simulate(folder: str, actors: int, plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    """Yields episodes of a world that is cheap, after as long as a dear one would take; all actors begin together."""
    mine = Path(folder, str(os.getpid()))
    if not mine.exists():
        mine.touch()
    while len(os.listdir(folder)) < actors:
        time.sleep(0.02)
    started = time.monotonic()
    episodes = list(simulate(plan, shard))
    time.sleep(max(0.0, SECONDS - (time.monotonic() - started)))
    return iter(episodes)


def main() -> None:
    """Prints the rate for each number of actors and its share of the linear one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, nargs="+", default=list(ACTORS))
    parser.add_argument("--executor", default="ray")
    arguments = parser.parse_args()
    rates = {}
    with connect(RaySettings(num_cpus=max(arguments.actors))):
        for actors in arguments.actors:
            rates[actors] = rate(actors, arguments.executor)
            print(f"{actors} actors: {rates[actors]:.3f} shards/s", flush=True)
    linear = 1 / SECONDS
    record(
        "collect_scaling",
        {
            "shards_a_second": {str(actors): round(value, 3) for actors, value in rates.items()},
            "share_of_linear": {str(actors): round(value / actors / linear, 3) for actors, value in rates.items()},
        },
    )


def rate(actors: int, executor: str) -> float:
    """Returns shards a second, from the moment when the last actor stands to the last finished shard."""
    config = CollectConfig(
        episodes=actors * SHARDS * EPISODES,
        episodes_per_shard=EPISODES,
        steps=10,
        image_size=16,
        validation_share=0,
        test_share=0,
        unseen_share=0,
        executor=executor,
        actors=actors,
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as store, tempfile.TemporaryDirectory() as standing:
        record_slowly = partial(sleep_and_simulate, standing, actors)
        make_dataset(
            DatasetHandle(open_store(store), "d0"), plan_dataset(config), config, record_slowly, Progress(clock)
        )
        begun = max(path.stat().st_mtime for path in Path(standing).iterdir())
    ended = time.time() - (time.perf_counter() - clock.seen[-1][0])
    return actors * SHARDS / (ended - begun)


if __name__ == "__main__":
    main()
