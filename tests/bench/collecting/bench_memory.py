"""Peak memory of a collector for 1,000 and for 100,000 frames: `python -m tests.bench.collecting.bench_memory`."""

import argparse
import resource
import subprocess
import sys
import tempfile

from infra.storage import open_store
from pipelines.collect import CollectConfig, collect
from tests.bench.record import record

FRAMES = (1_000, 100_000)
STEPS = 49


def main() -> None:
    """Runs a process for each number of frames, or is one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, help="collect so many here and print the peak in MiB")
    arguments = parser.parse_args()
    if arguments.frames:
        print(peak_of(arguments.frames))
        return
    peaks = {}
    for frames in FRAMES:
        command = [sys.executable, "-m", "tests.bench.collecting.bench_memory", "--frames", str(frames)]
        peaks[frames] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    raw = FRAMES[1] * 64 * 64 * 3 / 2**20
    record(
        "collect_memory",
        {
            "peak_mib": {f"{frames} frames": round(peak, 1) for frames, peak in peaks.items()},
            "ratio": round(peaks[FRAMES[1]] / peaks[FRAMES[0]], 3),
            "raw_mib_of_the_larger": round(raw),
        },
    )


def peak_of(frames: int) -> float:
    """Collects Two-Room at 64² in this process, shards of 8 episodes, and returns the largest resident set in MiB."""
    config = CollectConfig(
        episodes=frames // (STEPS + 1), steps=STEPS, image_size=64, episodes_per_shard=8, executor="local", actors=1
    )
    with tempfile.TemporaryDirectory() as folder:
        collect(config, open_store(folder))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
