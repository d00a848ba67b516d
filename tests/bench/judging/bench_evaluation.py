"""What an evaluation costs, kind by kind, over what it costs in another checkout of this repository.

    python -m tests.bench.judging.bench_evaluation --store runs --model two_room-demo-s0 --against ../earlier

Each measurement is a process of its own, which evaluates a copy of the store, checkouts in turn: processor seconds of
the process and its children, with their imports. Who else is at work on the machine hardly changes them; of each kind
the median is taken, and the ratio is that of medians.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.evaluate.config import STANDARD_KINDS
from tests.bench.record import record

CHECKOUT = Path(__file__).parents[3]
ALL = "all"
OPTIONS = ("--executor", "local", "--force")


def main() -> None:
    """Measures the kinds that are named, by default all together and each standard one alone, and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="runs")
    parser.add_argument("--model", default="two_room-demo-s0")
    parser.add_argument("--against", type=Path, required=True, help="the other checkout")
    parser.add_argument("--kinds", nargs="*", default=[ALL, *STANDARD_KINDS])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="1 evaluates in the process itself")
    arguments = parser.parse_args()
    checkouts = {"this": CHECKOUT, "other": arguments.against.resolve()}
    asked = [*OPTIONS, "--model", arguments.model, "--workers", str(arguments.workers)]
    measured = measure(checkouts, Path(arguments.store), asked, arguments.kinds, arguments.times)
    name = "evaluation" if arguments.workers == 1 else f"evaluation_{arguments.workers}_workers"
    found = {"model": arguments.model, "kinds": {kind: summary(seconds) for kind, seconds in measured.items()}}
    record(name, found | {"code": {name: version_of(checkout) for name, checkout in checkouts.items()}})


def measure(
    checkouts: dict[str, Path], store: Path, asked: Sequence[str], kinds: Sequence[str], times: int
) -> dict[str, dict[str, list[float]]]:
    """Returns processor seconds by kind and checkout, each measured so many times."""
    seconds: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in checkouts} for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        for name in checkouts:
            shutil.copytree(store, Path(folder) / name)
        for kind in [kind for _ in range(times) for kind in kinds]:
            for name, checkout in checkouts.items():
                own = ["--store", f"{folder}/{name}", "--run", f"bench-{kind}"]
                own += [] if kind == ALL else ["--kinds", kind]
                seconds[kind][name].append(processor_seconds(checkout, ["-m", "flows.cli", "evaluate", *asked, *own]))
                print(kind, name, seconds[kind][name][-1], flush=True)
    return seconds


def processor_seconds(checkout: Path, arguments: Sequence[str]) -> float:
    """Returns the processor seconds of Python with these arguments, and of all children that it waits for.

    Raises:
        CalledProcessError: it failed; what it wrote is on stderr.
    """
    surroundings = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, cwd=checkout, env=surroundings, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return round(usage.ru_utime + usage.ru_stime, 2)


def summary(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Returns the median of each checkout, their ratio, and all measurements."""
    median = {name: round(statistics.median(own), 2) for name, own in seconds.items()}
    return {"median": median, "ratio": round(median["this"] / median["other"], 3), "seconds": seconds}


def version_of(checkout: Path) -> str:
    """Returns the commit of a checkout."""
    command = [sys.executable, "-c", "from infra.version import code_version; print(code_version())"]
    surroundings = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        command, cwd=checkout, env=surroundings, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
