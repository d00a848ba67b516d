"""How long the success query takes over a store of many runs, against DuckDB over the same files.

Run it: `python -m tests.bench.bench_reports [RUNS]`. Processor time is printed beside wall time, for machines that
others share.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.storage import Store, open_store
from pipelines.reports import success_by_world_and_model
from pipelines.store.reports import Context, UnitManifest, unit_key, write_tables
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
        table = pq.read_table(io.BytesIO(store.read(first.parts[0].path)))
        for run in range(1, runs):
            key = unit_key(kind, part, {"run": run})
            sink = io.BytesIO()
            position = table.schema.get_field_index("run")
            pq.write_table(
                table.set_column(position, table.schema.field("run"), pa.array([f"r{run}"] * len(table))), sink
            )
            path = f"reports/kind=metrics/part-{key}.{run:012x}.parquet"
            store.write(path, sink.getvalue())
            fields = first.model_dump() | {"key": key, "run": f"r{run}", "model": f"m{run}"}
            manifest = UnitManifest(**fields | {"parts": [{**fields["parts"][0], "path": path}], "kinds": {kind}})
            store.write(f"reports/manifests/{key}.json", manifest.model_dump_json(indent=1).encode())
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
