"""Clips a second of every loader on the same Push-T frames: `python -m tests.bench.loading.bench_loader`.

224×224, 4 frames, frameskip 5, batch 64, shuffled; two threads of ours, two worker processes of Lance. Prints all rows
and their ratios to Lance's (also by CPU second, which other work on the machine disturbs less), and what it cannot
measure and why; `--json FILE` keeps the figures.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from infra.processes.environment import applied_environment
from infra.storage import open_store
from infra.storage.s3_server import serve_s3
from pipelines.collect import CollectConfig, collect
from pipelines.store import Dataset
from tests.bench.loading.bench_loader_quality import shuffle_quality
from tests.pipelines.loader.derived import derive, million_clips
from tests.pipelines.loader.measured import measured

PACKAGES = ("numpy", "torch", "zstandard", "pyarrow", "mosaicml-streaming", "webdataset", "pylance", "lancedb")
Row = dict[str, Any]
LANCE = "lance, folder, 2 workers"


def main() -> None:
    """Makes the data unless the folder holds it, measures each row in a process of its own, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where the data is kept for another run; by default it is removed")
    parser.add_argument("--episodes", type=int, default=120)
    parser.add_argument("--repeat", type=int, default=8, help="copies of each episode in our stores, not in Lance's")
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--short", action="store_true", help="only the native loader on a folder, and Lance")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or temporary
        prepare(folder, arguments.episodes, arguments.repeat)
        rows = _measure(folder, temporary, arguments.batches, arguments.short)
        million_clips(open_store(f"{temporary}/million"))
        figures = measured("first_batch", f"{temporary}/million")
        start = {name: round(value, 2) for name, value in figures.items()}
    quality = shuffle_quality()
    _print(rows, quality, start)
    if arguments.json:
        report = {"hardware": hardware(), "versions": versions(), "arguments": _plain(arguments)}
        report |= {"rows": rows, "shuffle": quality, "first_batch_of_a_million_clips": start}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


def prepare(folder: str, episodes: int, repeat: int) -> None:
    """Collects Push-T once, and writes it in both containers and as a Lance table."""
    store = open_store(f"{folder}/store")
    collected = open_store(f"{folder}/collected")
    if not Dataset.exists(collected, "pusht"):
        config = CollectConfig(world="pusht", name="pusht", episodes=episodes, image_size=224, executor="local")
        collect(config, collected)
    source = Dataset(collected, "pusht")
    for name, container in (("pusht", "mds"), ("pusht-tar", "webdataset")):
        if not Dataset.exists(store, name):
            derive(source, store, name, format=container, repeat=repeat)
    if _has("lancedb") and not Path(f"{folder}/store/pusht.lance").exists():
        _write_lance(source, f"{folder}/store/pusht.lance")


def _write_lance(dataset: Dataset, path: str) -> None:
    from stable_worldmodel.data.formats.lance import LanceWriter

    with LanceWriter(path) as writer:
        writer.write_episodes(
            {
                "pixels": list(episode.pixels[:-1]),
                "action": list(episode.action),
                **{name: list(values[:-1]) for name, values in episode.state.items()},
            }
            for episode in dataset.episodes("train")
        )


def _measure(folder: str, temporary: str, batches: int, short: bool) -> dict[str, Row]:
    local = f"{folder}/store"
    rows: dict[str, Row] = {}
    _measure_native(rows, local, batches)
    if _has("lancedb"):
        rows[LANCE] = _row("lance", local, batches // 2)
    if not short:
        rows["native, folder, 8 windows, 256 MB"] = _row("native", local, batches, memory=256)
        for kind in ("streaming", "webdataset"):
            if _has(kind):
                rows[f"{kind}, folder, 8 windows"] = _row(kind, local, batches // 4)
        rows |= _measure_s3(local, temporary, batches)
        if _has("lancedb"):
            _keep_better(rows, LANCE, _row("lance", local, batches // 2))
    _measure_native(rows, local, batches)
    if LANCE in rows:
        for row in rows.values():
            for figure in ("clips_per_second", "clips_per_cpu_second"):
                row[f"{figure}_to_lance"] = round(row[figure] / rows[LANCE][figure], 2)
    return rows


def _measure_native(rows: dict[str, Row], local: str, batches: int) -> None:
    _keep_better(rows, "native, folder, 8 windows", _row("native", local, batches))
    _keep_better(rows, "native, folder, 1 window", _row("native", local, batches // 2, windows=1))


def _keep_better(rows: dict[str, Row], name: str, row: Row) -> None:
    """Keeps the faster of two measurements: other work on the machine only ever slows one down."""
    if name not in rows or rows[name]["clips_per_second"] < row["clips_per_second"]:
        rows[name] = row


def _measure_s3(local: str, temporary: str, batches: int) -> dict[str, Row]:
    with serve_s3() as server, applied_environment(server.environment):
        source, store = open_store(local), open_store(server.uri)
        for path in source.list("datasets/pusht/"):
            store.write(path, source.read(path))
        cache = f"{temporary}/cache"
        # Cold means from the first batch on, with an empty cache.
        cold = _row("native", server.uri, batches, cache=cache, warm_up=0)
        warm = _row("native", server.uri, batches, cache=cache)
        one = _row("native", server.uri, batches // 2, cache=cache, windows=1)
    return {
        "native, S3 cold, 8 windows": cold,
        "native, S3 warm, 8 windows": warm,
        "native, S3 warm, 1 window": one,
    }


def _row(row: str, store: str, batches: int, **options: Any) -> Row:
    program = [sys.executable, "-m", "tests.bench.loading.bench_loader_rows"]
    command = [*program, row, "--store", store, "--batches", str(batches)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    answer = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed:\n{answer.stderr[-2000:]}")
    figures: Row = json.loads(answer.stdout.strip().splitlines()[-1])
    print(f"{row} {options or ''}: {figures}", file=sys.stderr)
    return figures


def _print(rows: dict[str, Row], quality: dict[str, Any], start: dict[str, float]) -> None:
    print(f"{'':36}{'clips/s':>9}{'× Lance':>9}{'a CPU s':>9}{'× Lance':>9}{'first batch':>13}{'memory':>9}")
    for name, row in rows.items():
        print(
            f"{name:36}{row['clips_per_second']:9,}{row.get('clips_per_second_to_lance', '-'):>9}"
            f"{row['clips_per_cpu_second']:9,}{row.get('clips_per_cpu_second_to_lance', '-'):>9}"
            f"{row['first_batch_seconds']:11.2f} s{row['megabytes']:6} MB"
        )
    for name, row in rows.items():
        if "cpu_us_a_clip" in row:
            print(f"CPU µs a clip, {name}: {', '.join(f'{k} {v}' for k, v in row['cpu_us_a_clip'].items())}")
    for name, figures in quality.items():
        print(f"shuffle, {name}: {', '.join(f'{k} {v}' for k, v in figures.items())}")
    print(f"the first of a million clips: {', '.join(f'{k} {v:,}' for k, v in start.items())}")
    for package, what in (("lancedb", "Lance"), ("streaming", "streaming"), ("webdataset", "webdataset")):
        if not _has(package):
            print(f"not measured: {what}, for the package {package} is not installed")


def hardware() -> dict[str, Any]:
    """Returns what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return {"cpu": model, "cores": os.cpu_count(), "load_average": os.getloadavg()}


def versions() -> dict[str, str]:
    """Returns the versions of what was measured."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES if _installed(name)}


def _plain(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(arguments).items() if name not in ("json", "folder")}


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _installed(package: str) -> bool:
    try:
        version(package)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
