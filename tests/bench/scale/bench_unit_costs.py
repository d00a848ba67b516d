"""What the units of each job cost, for `docs/scale.md`: `python -m tests.bench.scale.bench_unit_costs`.

Processor seconds of one core, wherever others may be at work on the machine: a shard of each world with its requests to
the store, a plan, a row of a report, and what the driver itself pays for a unit and for a worker that it watches.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from infra.ray_cluster.connection import connect
from infra.settings import RaySettings
from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from infra.work_log import LogFolder as Folder
from jepa.core.config import Config
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, PlanningSetting, make_planner
from pipelines.collect import CollectConfig, collect_shard, plan_dataset
from pipelines.executor import JobLog, recorded, run_units
from pipelines.reports import success_by_world_and_model
from pipelines.store import DatasetHandle
from pipelines.store.logs import LogFolder
from pipelines.store.reports import unit_key, write_tables
from tests.bench.judging.bench_reports import PARTS, context, write_runs
from tests.bench.planning.bench_planning import seconds_a_plan
from tests.bench.record import RESULTS, record
from tests.jepa.evaluation.standins import MemorySource

WORLDS = ("two_room", "pusht", "reacher", "cube")
REQUESTS = {"put": ("write", "write_if_absent"), "get": ("read", "read_range")}
PENDING = (1, 10, 100, 1000)


class Asked(Config):
    """What the made-up job was asked for."""


def main() -> None:
    """Measures the parts that are named, by default all, and keeps what an earlier call found out about the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[], help=f"{', '.join(WORLDS)}, plan, reports, driver")
    parser.add_argument("--shards", type=int, default=5, help="of each world, 16 episodes each")
    parser.add_argument("--units", type=int, default=200, help="that do nothing, for the driver's cost")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        **{world: partial(shards_of, world, arguments.shards) for world in WORLDS},
        "plan": plan_seconds,
        "reports": partial(report_rows, 100),
        "driver": partial(driver_costs, arguments.units),
    }
    kept = RESULTS / "unit_costs.json"
    figures = json.loads(kept.read_text())["figures"] if kept.exists() else {}
    for part in arguments.parts or measures:
        figures[part] = measures[part]() | {"load": round(os.getloadavg()[0], 1)}
        record("unit_costs", figures)


def shards_of(world: str, count: int) -> dict[str, Any]:
    """Returns frames a processor second, bytes a frame, each shard's seconds to its mean, and requests a shard."""
    plan = plan_dataset(
        CollectConfig(world=world, image_size=224, steps=50, episodes=32 * count, episodes_per_shard=16, test_share=0)
    )
    seconds, frames, stored = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        dataset = DatasetHandle(open_store(folder), "d0")
        collect_shard(plan, 0, dataset)  # imports, and what a renderer does once
        for number in range(1, min(count, plan.shard_count - 1) + 1):
            started = time.process_time()
            facts = collect_shard(plan, number, dataset).facts
            seconds.append((time.process_time() - started) / facts.frames)
            frames, stored = frames + facts.frames, stored + facts.bytes
    mean = statistics.mean(seconds)
    return {
        "frames_a_cpu_second": round(1 / mean),
        "bytes_a_frame": round(stored / frames, 1),
        "service_time_to_its_mean": [round(one / mean, 3) for one in sorted(seconds)],
    }


def plan_seconds() -> dict[str, float]:
    """Returns processor seconds of a plan by CEM in the smallest model, in Two-Room."""
    problems = draw_problems(MemorySource({"test": 4}), "test", "uniform", 4, 25, seed=0)
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    planner = make_planner("cem", LatentCEMConfig(precision="fp32"), setting)
    return {"cem_300x10_smallest_model": round(seconds_a_plan(planner, problems)[0], 4)}


def report_rows(runs: int) -> dict[str, float]:
    """Returns rows a processor second that are written, one table a unit, and that the success query reads."""
    tables = PARTS["planning", "test=uniform"]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)

        def write() -> int:
            keys = (unit_key("planning", "test=uniform", {"run": number}) for number in range(30))
            return sum(write_tables(store, tables, key, context(0, "planning")).parts[0].rows for key in keys)

        written = per_cpu_second(write)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        write_runs(store, runs)
        rows = sum(len(part["metrics"]) for part in PARTS.values()) * runs

        def query() -> int:
            success_by_world_and_model(store)
            return rows

        return {"written_a_cpu_second": written, "queried_a_cpu_second": per_cpu_second(query)}


def per_cpu_second(work: Callable[[], int]) -> float:
    """Returns how much of what a function counts it does in a processor second."""
    started = time.process_time()
    return round(work() / (time.process_time() - started))


def driver_costs(units: int) -> dict[str, Any]:
    """Returns what the driver of a Ray job pays, and the requests to the store that each unit of a collection makes."""
    with connect(RaySettings(num_cpus=4)), tempfile.TemporaryDirectory() as folder:
        log = LogFolder(open_store(folder), "bench", "b0")
        driven(log, nothing, range(50), 2)
        a_unit = (driven(log, nothing, range(units + 50), 2) - driven(log, nothing, range(50), 2)) / units
        workers, short, long = 4, 2.0, 12.0
        watching = driven(log, sleep, [long] * workers, workers) - driven(log, sleep, [short] * workers, workers)
        started = time.process_time()
        time.sleep(long - short)
        idle = time.process_time() - started
        return {
            "cpu_seconds_a_unit": round(a_unit, 5),
            "cpu_seconds_a_heartbeat": round(max(0.0, watching - idle) / ((long - short) * workers), 5),
            "seconds_to_wait_on_pending": {str(count): round(wait_on(count), 6) for count in PENDING},
            "requests_a_unit": requests_a_unit(),
        }


def driven(log: Folder, function: Callable[[Any], Any], units: Sequence[Any], workers: int) -> float:
    """Returns processor seconds of this process while Ray does the units."""
    started = time.process_time()
    with JobLog(log, Asked()) as job:
        run_units(function, units, executor="ray", workers=workers, log=job)
    return time.process_time() - started


def wait_on(count: int) -> float:
    """Returns the median processor seconds of one `ray.wait` on so many results that are not there yet."""
    import ray

    actor: Any = ray.remote(Idle).remote()
    references = [actor.sleep.remote() for _ in range(count)]
    seconds = []
    for _ in range(30):
        started = time.process_time()
        ray.wait(references, num_returns=1, timeout=0)
        seconds.append(time.process_time() - started)
    ray.kill(actor)
    return statistics.median(seconds)


class Idle:
    """An actor whose calls take long."""

    def sleep(self) -> None:
        time.sleep(60)


def nothing(unit: int) -> int:
    """The smallest unit of work."""
    return unit


def sleep(seconds: float) -> None:
    """A unit that its driver has to watch."""
    time.sleep(seconds)


def requests_a_unit() -> dict[str, int]:
    """Returns how often one shard's collection, its unit's log among it, writes to the store and reads from it."""
    plan = plan_dataset(CollectConfig(image_size=16, steps=5, episodes=40, episodes_per_shard=4, test_share=0))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        with JobLog(LogFolder(store, "collect", "d0"), Asked()) as job, counted(store) as counts:
            unit = job.unit("shard")

            with recorded(unit):
                collect_shard(plan, 1, DatasetHandle(store, "d0"))
        return dict(counts)


@contextmanager
def counted(store: Store) -> Iterator[dict[str, int]]:
    """Counts the requests that would be PUT and GET on S3."""
    assert isinstance(store, LocalStore)
    counts = dict.fromkeys(REQUESTS, 0)

    def counting(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counts[kind] += 1
            return original(*arguments, **options)

        return call

    for kind, names in REQUESTS.items():
        for name in names:
            setattr(store, name, counting(kind, getattr(store, name)))
    yield counts


if __name__ == "__main__":
    main()
