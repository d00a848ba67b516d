"""Size, speed and error of each codec on frames of each world: `python -m tests.bench.collecting.bench_codecs`."""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from jepa.core.episodes import Pixels
from jepa.worlds import WORLDS, EpisodePlan, collect_episodes
from pipelines.collect import CollectConfig
from pipelines.store import CODECS
from pipelines.store.datasets.chunk import chunk_bounds
from tests.bench.record import record

STEPS = 64
CHUNK: int = CollectConfig.model_fields["chunk_frames"].default
NOISE = "noise of sigma 3"


def main() -> None:
    """Prints a row of the README's table for each world and codec."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", default=["pusht", "two_room", "reacher", "cube", NOISE])
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = []
    print("| world | codec | KB a frame | encode frames/s | decode frames/s | PSNR |\n|---|---|---|---|---|---|")
    for world in arguments.worlds:
        frames = frames_of(world, arguments.image_size)
        for codec in CODECS:
            rows.append({"world": world, "codec": codec} | measure(codec, frames, arguments.seconds))
            print("| " + " | ".join(str(cell) for cell in rows[-1].values()) + " |", flush=True)
    record("codecs", {"image_size": arguments.image_size, "rows": rows})


def frames_of(world: str, size: int) -> Pixels:
    """Returns the frames of one episode of the world's most common policy, or Push-T's with noise on every pixel."""
    name = "pusht" if world == NOISE else world
    spec = WORLDS.get(name).world_spec
    policy = max(spec.policy, key=lambda one: spec.policy[one])
    variation = spec.sample_variation(np.random.default_rng(0))
    plan = EpisodePlan(0, 0, "train", variation, policy, STEPS)
    (episode,) = collect_episodes(name, {"image_size": size}, [plan])
    if world != NOISE:
        return episode.pixels
    noise = np.random.default_rng(0).normal(0, 3, episode.pixels.shape)
    return np.clip(episode.pixels + noise, 0, 255).astype(np.uint8)


def measure(name: str, frames: Pixels, seconds: float) -> dict[str, Any]:
    """Returns the row of one codec, on frames in chunks as the collector cuts them."""
    codec = CODECS.get(name)
    chunks = [frames[first:end] for first, end in chunk_bounds(len(frames), CHUNK)]
    encoded = [codec.encode(chunk) for chunk in chunks]
    into = np.empty_like(max(chunks, key=len))

    def decode() -> None:
        for data, chunk in zip(encoded, chunks, strict=True):
            codec.decode(data, chunk.shape[:3], into[: len(chunk)])

    decoded = (codec.decode(data, chunk.shape[:3]) for data, chunk in zip(encoded, chunks, strict=True))
    pairs = zip(decoded, chunks, strict=True)
    error = sum(float(np.square(seen.astype(np.float64) - chunk).sum()) for seen, chunk in pairs) / frames.size
    return {
        "kb_a_frame": round(sum(map(len, encoded)) / len(frames) / 1000, 2),
        "encode_frames_a_second": rate(lambda: [codec.encode(chunk) for chunk in chunks], len(frames), seconds),
        "decode_frames_a_second": rate(decode, len(frames), seconds),
        "psnr": "exact" if not error else f"{10 * np.log10(255**2 / error):.1f} dB",
    }


def rate(work: Callable[[], object], frames: int, seconds: float) -> int:
    """Returns frames a second of the fastest of several calls."""
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return round(frames / best)


if __name__ == "__main__":
    main()
