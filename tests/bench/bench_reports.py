"""How long the success query takes over a store of many runs, against DuckDB over the same files.

Run it: `python -m tests.bench.bench_reports [RUNS]`. Processor time is printed beside wall time, for machines that
others share.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from infra.storage import Store, open_store
from pipelines.reports import success_by_world_and_model
from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.reports import Context, unit_key, write_tables
from pipelines.store.reports.manifest import Part, manifest_path
from pipelines.store.sealed import seal, sha256
from tests.narrow import queried
from tests.pipelines.reports import synthetic

PARTS = {
    ("planning", "test=uniform"): {"metrics": synthetic.planning_metrics()},
    ("planning", "test=cross_room"): {"metrics": synthetic.planning_metrics()},
    ("probing", "probes"): {"metrics": synthetic.probing_metrics()},
    ("surprise", "test"): {"metrics": synthetic.surprise_metrics()},
    ("latent", "test"): {"metrics": [synthetic.metric("latent", "effective_rank", 12.0)]},
    ("training", "m0"): {"metrics": [synthetic.metric("training", "loss", 0.1, split="train")]},
}


def write_runs(store: Store, runs: int) -> int:
    """Writes so many runs of six units each and returns the number of files of the table."""
    written = 0
    for (kind, part), tables in PARTS.items():
        first = write_tables(store, tables, unit_key(kind, part, {"run": -1}), context(0, kind))
        table = read_parquet(store.read(first.parts[0].path))
        for run in range(1, runs):
            key = unit_key(kind, part, {"run": run})
            named = table
            for column, value in (("run", f"r{run}"), ("model", f"m{run}")):
                place = table.schema.get_field_index(column)
                named = named.set_column(place, table.schema.field(column), pa.array([value] * len(table)))
            data = parquet_bytes(named)
            file = Part(
                table="metrics",
                path=f"reports/kind=metrics/part-{key}.{sha256(data)[:12]}.parquet",
                rows=len(table),
                sha256=sha256(data),
            )
            store.write(file.path, data)
            changes = {"key": key, "run": f"r{run}", "model": f"m{run}", "parts": (file,)}
            manifest = first.model_copy(update=changes).model_dump_json(indent=1).encode()
            store.write(manifest_path(key), seal(manifest))
        written += runs
    return written


def context(run: int, kind: str) -> Context:
    """Returns the context of a run's unit; a training's has no evaluation version."""
    return synthetic.context(f"r{run}", f"m{run}", evaluation_version=None if kind == "training" else 1)


def timed(name: str, work: Callable[[], Any]) -> None:
    """Prints what the work takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    rows = len(work())
    print(
        f"{name:24} {time.perf_counter() - wall:6.2f} s wall {time.process_time() - cpu:6.2f} s processor, {rows} rows"
    )


def main() -> None:
    """Prints a line for each way to ask."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        print(f"{runs} runs, {write_runs(store, runs)} files of table metrics")
        glob = f"{folder}/reports/kind=metrics/*.parquet"
        question = f"SELECT * FROM read_parquet('{glob}', hive_partitioning=false) WHERE metric = 'success_rate'"
        timed("DuckDB", lambda: queried(question).fetchall())
        timed("success, first time", lambda: success_by_world_and_model(store))
        timed("success, again", lambda: success_by_world_and_model(store))


if __name__ == "__main__":
    main()
