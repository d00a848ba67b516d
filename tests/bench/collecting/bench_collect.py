"""How fast datasets are collected, and against stable-worldmodel's own loop.

`python -m tests.bench.collecting.bench_collect`. A rate counts from the first finished shard to the last, on as many
processes as there are workers: starting them costs the same few seconds for a thousand frames and for a billion. The
peer's world is made and warmed up before its clock starts. Where others are at work on the machine, the rates of CPU
time are the fairer ones.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.processes.environment import applied_environment
from infra.progress import PhaseState, Progress
from infra.storage import open_store
from infra.storage.s3_server import serve_s3
from pipelines.collect import CollectConfig, collect, collect_shard, plan_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle
from tests.bench.record import record

PARTS = {
    "pusht_share": "share of the collector's CPU time that is not the world's own, Push-T 224², to a local S3 server",
    "pusht_peer": "Push-T 224² against stable_worldmodel.World.collect",
    "two_room_peer": "our Two-Room 224² against swm/TwoRoom-v1",
    "two_room_64": "Two-Room 64², stored",
}


class Clock:
    """A sink that notes when episodes were done."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    def begin(self, phase: PhaseState) -> None:
        return

    def update(self, phase: PhaseState) -> None:
        self.seen.append((time.perf_counter(), phase.done))

    def end(self, phase: PhaseState, failed: bool) -> None:
        return

    def rate(self) -> float:
        """Returns episodes a second from the first finished shard on."""
        (begun, first), (ended, last) = self.seen[0], self.seen[-1]
        return (last - first) / (ended - begun)


def main() -> None:
    """Measures each part that is named, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=" ".join(PARTS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="how many times the usual number of episodes")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for part in arguments.parts:
        print(f"{part}: {PARTS[part]}")
        record(f"collect_{part}", globals()[f"measure_{part}"](arguments.workers, arguments.scale))


def measure_pusht_share(_: int, scale: float) -> dict[str, Any]:
    """Simulates one shard's episodes alone, then collects the same shard whole, and compares the CPU time."""
    plan = plan_dataset(CollectConfig(world="pusht", image_size=224, steps=100, episodes_per_shard=round(8 * scale)))
    frames = len(plan.shard(0).episodes) * (plan.steps + 1)
    with serve_s3() as server, applied_environment(server.environment):
        store = open_store(server.uri)
        collect_shard(plan, 1, DatasetHandle(store, "warm"))
        rounds = []
        for number in range(3):  # the least of a few: what else the machine does is not our subject
            started = time.process_time()
            for _episode in simulate(plan, plan.shard(0)):
                pass
            world = time.process_time() - started
            started = time.process_time()
            marker = collect_shard(plan, 0, DatasetHandle(store, f"bench{number}"))
            rounds.append((world, time.process_time() - started))
    world, whole = min(world for world, _ in rounds), min(whole for _, whole in rounds)
    return {
        "frames": frames,
        "world_seconds": round(world, 3),
        "whole_seconds": round(whole, 3),
        "share_not_the_worlds": round(1 - world / whole, 4),
        "bytes_a_frame": round(marker.facts.bytes / frames, 1),
    }


def measure_pusht_peer(workers: int, scale: float) -> dict[str, Any]:
    """Frames a second of both, at 224², random actions, 100 steps an episode."""
    ours = our_rate("pusht", 224, 100, round(80 * scale), 4, workers)
    return compare(ours, peer_rate("swm/PushT-v1", 224, 100, round(12 * scale)))


def measure_two_room_peer(workers: int, scale: float) -> dict[str, Any]:
    """Frames a second of both, at 224², random actions, 64 steps an episode."""
    ours = our_rate("two_room", 224, 64, round(1200 * scale), 32, workers)
    return compare(ours, peer_rate("swm/TwoRoom-v1", 224, 64, round(12 * scale)))


def measure_two_room_64(workers: int, scale: float) -> dict[str, Any]:
    """Frames a second that are stored, with the world's own mixture of policies."""
    return our_rate("two_room", 64, 64, round(12_000 * scale), 128, workers, policy=None)


def compare(ours: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    """Returns both and what one is of the other."""
    return {
        "ours": ours,
        "peer": peer,
        "times_the_peers_frames_a_second": round(ours["frames_a_second"] / peer["frames_a_second"], 2),
        "times_the_peers_frames_a_cpu_second": round(ours["frames_a_cpu_second"] / peer["frames_a_cpu_second"], 2),
        "times_the_peers_bytes_a_frame": round(ours["bytes_a_frame"] / peer["bytes_a_frame"], 3),
    }


def our_rate(
    world: str, size: int, steps: int, episodes: int, per_shard: int, workers: int, policy: Any = "random"
) -> dict[str, Any]:
    """Collects into a local folder and returns the rate."""
    config = CollectConfig(
        world=world,
        episodes=episodes,
        steps=steps,
        image_size=size,
        policy=policy,
        episodes_per_shard=per_shard,
        actors=workers,
        executor="local",
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        manifest = collect(config, open_store(folder), Progress(clock))
        seconds = time.perf_counter() - started
        collect_shard(plan_dataset(config), 0, DatasetHandle(open_store(f"{folder}/warm"), "one"))
        busy = time.process_time()
        marker = collect_shard(plan_dataset(config), 0, DatasetHandle(open_store(f"{folder}/measured"), "one"))
        busy = time.process_time() - busy
    frames = manifest.total("frames")
    return {
        "frames": frames,
        "workers": workers,
        "frames_a_second": round(clock.rate() * (steps + 1)),
        "frames_a_cpu_second": round(marker.facts.frames / busy),
        "frames_a_second_with_start_and_commit": round(frames / seconds),
        "bytes_a_frame": round(manifest.total("bytes") / frames, 1),
    }


def peer_rate(name: str, size: int, steps: int, episodes: int) -> dict[str, Any]:
    """Collects with stable-worldmodel's loop, as its examples do, into its default format."""
    import stable_worldmodel as swm
    from stable_worldmodel.policy import RandomPolicy

    world = swm.World(name, num_envs=4, image_shape=(size, size), max_episode_steps=steps)
    world.set_policy(RandomPolicy(seed=0))
    with tempfile.TemporaryDirectory() as folder:
        world.collect(f"{folder}/warm.lance", episodes=4, seed=0, progress=False)
        started, busy = time.perf_counter(), time.process_time()
        world.collect(f"{folder}/data.lance", episodes=episodes, seed=1, progress=False)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        stored = sum(path.stat().st_size for path in Path(folder, "data.lance").rglob("*") if path.is_file())
        frames = count_rows(f"{folder}/data.lance")
    world.close()
    return {
        "frames": frames,
        "frames_a_second": round(frames / seconds),
        "frames_a_cpu_second": round(frames / busy),
        "bytes_a_frame": round(stored / frames, 1),
    }


def count_rows(path: str) -> int:
    """Returns how many frames the peer stored: an episode that succeeds ends before its last step."""
    import lance

    return int(lance.dataset(path).count_rows())


if __name__ == "__main__":
    main()
