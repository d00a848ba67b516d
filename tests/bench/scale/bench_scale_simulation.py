"""What would happen with 1 to 1,000 workers, simulated from recorded service times: `docs/scale.md` shows its tables.

python -m tests.bench.scale.bench_scale_simulation            # simulates; keeps results/scale_simulation.json
python -m tests.bench.scale.bench_scale_simulation --tables   # prints the tables of docs/scale.md from what was kept

Two models. The executor: one driver that pays for every unit and every watched worker, workers whose units take what
units were recorded to take, and a store that answers so many requests a second. The loader: ranks that step together,
each with a queue of batches that its cores decode, and that it fetches from S3 or has on its disk. What is assumed and
not measured stands in `Assumed`, and in the page.
"""

import argparse
import heapq
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.executor.ray_pool import beat_pause
from tests.bench.record import RESULTS, record
from tests.bench.scale.scale_tables import tables

WORKERS = (1, 10, 100, 300, 1000)
GPUS = (1, 8, 100, 300, 1000)
READY, WORKED = 0, 1
STALL_SECONDS = 600.0
"""The collector's default."""
UNITS_EACH = 20
"""Units for each worker."""


@dataclass(frozen=True)
class Assumed:
    """What nobody has measured here: published limits of S3, and a GPU node as one might rent it."""

    s3_puts_a_second: float = 3_500.0
    """of one prefix, as published"""
    s3_gets_a_second: float = 5_500.0
    """of one prefix, as published"""
    request_seconds: float = 0.03
    """median of a request to S3; log-normal"""
    request_spread: float = 0.6
    """standard deviation of its logarithm"""
    node_bytes_a_second: float = 12.5e9
    """network of a node: 100 Gbit/s"""
    gpus_a_node: int = 8
    loader_cores_a_gpu: int = 8
    gpu_clips_a_second: float = 5_000.0
    """the project's goal for one H200 at 224 pixels; no GPU has run it"""
    batch_a_gpu: int = 128
    fetch_threads: int = 16
    batches_ahead: int = 4


@dataclass(frozen=True)
class Driver:
    """Recorded processor seconds of the one process that hands out the units."""

    unit: float
    heartbeat: float
    pending: dict[str, float]

    def seconds_a_unit(self, workers: int) -> float:
        """Returns what a unit costs while so many workers are watched."""
        counts = np.array([int(count) for count in self.pending], float)
        wait = float(np.interp(workers, counts, list(self.pending.values())))
        # The loop looks twice at all that is pending for each answer, and takes each heartbeat that it asked for, or
        # one in each turn of the loop where a turn takes longer.
        own, beats = self.unit + 2 * wait, workers / beat_pause(workers, STALL_SECONDS) * self.heartbeat
        return own + beats if beats >= 1 else min(own / (1 - beats), own + beats)


def simulate_executor(
    workers: int, unit_seconds: float, spread: NDArray[np.float64], driver: Driver, assumed: Assumed, puts: int
) -> dict[str, float]:
    """Returns the makespan of so many workers' units and what it was lost to.

    Args:
        workers: at once.
        unit_seconds: mean of a unit's work.
        spread: recorded seconds of units, to their mean.
        driver: what it pays.
        assumed: of the store.
        puts: requests of a unit that write, the scarcer ones.
    """
    rng = np.random.default_rng([workers, puts, round(1e6 * unit_seconds)])
    count, cost = workers * UNITS_EACH, driver.seconds_a_unit(workers)
    work = unit_seconds * rng.choice(spread, count)
    waits = assumed.request_seconds * rng.lognormal(0.0, assumed.request_spread, (count, puts)).sum(axis=1)
    driver_free = store_free = makespan = 0.0
    # Unit -1 stands for a worker that is ready and has had none. The heap gives what happens in the order of time.
    events: list[tuple[float, int, int]] = [(0.0, READY, -1) for _ in range(workers)]
    begun = 0
    while events:
        time, kind, number = heapq.heappop(events)
        if kind == WORKED:
            store_free = max(store_free, time) + puts / assumed.s3_puts_a_second
            heapq.heappush(events, (store_free + waits[number], READY, number))
        else:
            makespan = time
            if begun < count:
                driver_free = max(driver_free, time) + cost
                heapq.heappush(events, (driver_free + work[begun], WORKED, begun))
                begun += 1
    return {
        "workers": workers,
        "units_a_second": round(count / makespan, 2),
        "share_of_linear": round(float(work.mean()) * UNITS_EACH / makespan, 3),
        "driver_busy": round(min(1.0, count * cost / makespan), 3),
        "store_busy": round(min(1.0, count * puts / assumed.s3_puts_a_second / makespan), 3),
    }


def simulate_loader(
    gpus: int, reads: "Reads", clips_a_core: float, assumed: Assumed, steps: int = 300
) -> dict[str, Any]:
    """Returns how much of their time ranks that step together wait for data, after the first batches.

    Args:
        gpus: ranks.
        reads: what a batch of one rank asks the store for.
        clips_a_core: recorded clips a processor second of the loader.
        assumed: store, network and GPU.
        steps: that are simulated.
    """
    rng = np.random.default_rng([gpus, reads.requests, round(reads.request_bytes)])
    step_seconds = assumed.batch_a_gpu / assumed.gpu_clips_a_second
    decode = assumed.batch_a_gpu / (clips_a_core * assumed.loader_cores_a_gpu)
    share = assumed.node_bytes_a_second / min(gpus, assumed.gpus_a_node)
    transfer = reads.requests * reads.request_bytes / share
    waves = -(-reads.requests // assumed.fetch_threads)
    decoded, network, store_free = np.zeros(gpus), np.zeros(gpus), 0.0
    begun, waited, ended = [0.0] * assumed.batches_ahead, [0.0] * steps, 0.0
    for step in range(steps):
        there = np.full(gpus, begun[-assumed.batches_ahead])
        if reads.requests:
            first = max(store_free, float(there[0]))
            store_free = first + gpus * reads.requests / assumed.s3_gets_a_second
            slowest = rng.lognormal(0.0, assumed.request_spread, (waves, gpus)) * assumed.request_seconds
            served = np.linspace(first, store_free, gpus) + slowest.sum(axis=0)
            network = np.maximum(network, served) + transfer
            there = network
        decoded = np.maximum(decoded, there) + decode
        starts = max(ended, float(decoded.max()))
        waited[step], ended = starts - ended, starts + step_seconds
        begun.append(starts)
    settled = slice(steps // 5, None)
    seconds = step_seconds * len(waited[settled]) + sum(waited[settled])
    return {
        "gpus": gpus,
        "data_wait": round(sum(waited[settled]) / seconds, 3),
        "clips_a_second": round(gpus * assumed.batch_a_gpu * len(waited[settled]) / seconds),
        "gets_a_second": round(gpus * reads.requests * len(waited[settled]) / seconds),
    }


@dataclass(frozen=True)
class Reads:
    """What a rank asks the store for, a batch."""

    requests: int
    request_bytes: float


def simulate() -> dict[str, Any]:
    """Returns the figures of both models, and what they were made from."""
    assumed, costs, loader = Assumed(), kept("unit_costs"), kept("loader_pusht_224", "rows")
    held = costs["driver"]
    driver = Driver(held["cpu_seconds_a_unit"], held["cpu_seconds_a_heartbeat"], held["seconds_to_wait_on_pending"])
    spread = np.array(costs["two_room"]["service_time_to_its_mean"])
    puts = held["requests_a_unit"]["put"]
    clips_a_core = loader["native, folder, 8 windows"]["clips_per_cpu_second"]
    chunk = 32 * kept("collect_pusht_peer")["ours"]["bytes_a_frame"]
    # Of a chunk that is decoded once, eight windows are taken.
    ways = {"on the node's disk": Reads(0, 0.0), "chunks from S3": Reads(assumed.batch_a_gpu // 8, chunk)}
    units = {"shards of 10 s": 10.0, "shards of 1 s": 1.0, "units of 0.1 s": 0.1}
    return {
        "assumed": asdict(assumed),
        "driver": held,
        "executor": {
            name: [simulate_executor(count, seconds, spread, driver, assumed, puts) for count in WORKERS]
            for name, seconds in units.items()
        },
        "loader": {
            name: [simulate_loader(count, reads, clips_a_core, assumed) for count in GPUS]
            for name, reads in ways.items()
        },
    }


def kept(name: str, part: str = "figures") -> dict[str, Any]:
    """Returns the figures of a benchmark that were kept."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())[part]
    return found


def main() -> None:
    """Simulates, or prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tables", action="store_true", help="print the tables of docs/scale.md from what was kept")
    if parser.parse_args().tables:
        print("\n\n".join(tables(kept).values()))
    else:
        record("scale_simulation", simulate())


if __name__ == "__main__":
    main()
