"""How long the questions of the README take over a store of many runs, before and after it is compacted.

Run it: `python -m tests.bench.judging.bench_reports [RUNS [STORE]]`, by default 1000, which the product's own writer
writes; STORE is a folder that holds so many already, and is left as it is. Each question is asked by a process of its
own, so that nothing is held in memory; by Dask, and by DuckDB over a glob of the files and over what `jepa reports sql`
gives. The ratio is that of the two times in one run on one machine. Processor time is beside wall time, for machines
that others share.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from infra.storage import Store, open_store
from pipelines.store.reports import Context, plan_run, unit_key, write_tables
from pipelines.store.reports.compaction.compact import compact
from tests.bench.record import record
from tests.pipelines.reports import synthetic

PARTS = {
    ("planning", "test=uniform"): {"metrics": synthetic.planning_metrics()},
    ("planning", "test=cross_room"): {"metrics": synthetic.planning_metrics()},
    ("probing", "probes"): {"metrics": synthetic.probing_metrics()},
    ("surprise", "test"): {"metrics": synthetic.surprise_metrics()},
    ("latent", "test"): {"metrics": [synthetic.metric("latent", "effective_rank", 12.0)]},
    ("training", "m0"): {"metrics": [synthetic.metric("training", "loss", 0.1, split="train")]},
}
WAYS = ("success", "compute", "probes", "surprise", "ls", "compare", "duckdb success", "duckdb compute")
REPEATS = {"before": 1, "after": 3}
"""Askings of which the median counts."""
SUCCESS = "SELECT model, dataset, dataset_version, protocol, seed, split, goal, planner, value, n FROM {} WHERE "
SUCCESS += "metric = 'success_rate'"
COMPUTE = """SELECT model, protocol, seed, split, goal, "offset", planner,
  max(value) FILTER (metric = 'success_rate') AS success, max(value) FILTER (metric = 'plan_seconds') AS seconds
FROM {} WHERE evaluation = 'planning'
GROUP BY ALL ORDER BY model, protocol, seed, split, goal, "offset", seconds"""


def write_runs(store: Store, runs: int) -> int:
    """Writes so many runs of six units each, one model a run, and returns the number of files of the table."""
    written = 0
    for run in range(runs):
        keys = []
        for (kind, part), tables in PARTS.items():
            keys.append(unit_key(kind, part, {"run": run}))
            written += len(write_tables(store, tables, keys[-1], context(run, kind)).parts)
        plan_run(store, f"r{run}", keys, {})
    return written


def context(run: int, kind: str) -> Context:
    """Returns the context of a run's unit; a training's has no evaluation version."""
    digest = f"{run:064x}"
    version = None if kind == "training" else 1
    return synthetic.context(f"r{run}", f"m{run}", evaluation_version=version, model_digest=digest)


def ask(way: str, store: Store) -> int:
    """Asks one question and returns the number of rows of the answer."""
    from pipelines import reports
    from pipelines.store.inventory import inventory
    from pipelines.store.reports.compaction.others import view_of
    from tests.narrow import queried

    if way.startswith("duckdb"):
        table = f"({view_of(store, 'metrics').sql})"
        return len(queried((SUCCESS if way.endswith("success") else COMPUTE).format(table)).fetchall())
    if way.startswith("glob"):
        table = f"read_parquet('{store.uri}/reports/kind=metrics/*.parquet', union_by_name = true)"
        return len(queried((SUCCESS if way.endswith("success") else COMPUTE).format(table)).fetchall())
    if way == "ls":
        return len(inventory(store).runs)
    if way == "compare":
        from pipelines.reports.comparison import compare

        return len(compare(store, ["m0", "m1"]).differences)
    queries: dict[str, Callable[[Store], Any]] = {
        "success": reports.success_by_world_and_model,
        "compute": reports.planning_against_compute,
        "probes": reports.probe_error_by_quantity,
        "surprise": reports.surprise_by_perturbation,
    }
    return len(queries[way](store))


def asked(way: str, uri: str) -> None:
    """Prints, in a process of its own, what a question takes, the import of our own code included.

    That of Dask and DuckDB is not. A glob over one compacted file shows how much of the time is the import.
    """
    import dask.dataframe
    import duckdb

    assert dask.dataframe and duckdb
    store = open_store(uri)
    cpu, wall = time.process_time(), time.perf_counter()
    rows = ask(way, store)
    figures = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu, "rows": rows}
    print(json.dumps(figures))


def measured(uri: str, ways: tuple[str, ...], when: str) -> dict[str, dict[str, float]]:
    """Returns the median of what each question takes."""
    found = {}
    for way in ways:
        runs = []
        for _ in range(REPEATS[when]):
            command = [sys.executable, "-m", "tests.bench.judging.bench_reports", "--ask", way, uri]
            runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        found[way] = {name: round(statistics.median(one[name] for one in runs), 3) for name in runs[0]}
        print(when, way, found[way], flush=True)
    return found


def main() -> None:
    """Prints and keeps what each question takes before and after, and the ratio."""
    if sys.argv[1:2] == ["--ask"]:
        asked(sys.argv[2], sys.argv[3])
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    glob = ("glob success", "glob compute")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        if len(sys.argv) > 2:
            shutil.copytree(sys.argv[2], folder, dirs_exist_ok=True)
        else:
            write_runs(store, runs)
        loose = len(store.list("reports/"))
        figures: dict[str, Any] = {"runs": runs}
        print(f"{runs} runs, {loose} files", flush=True)
        before = measured(folder, (*WAYS, *glob), "before")
        start = time.perf_counter()
        made = compact(store)
        figures["compact_seconds"] = round(time.perf_counter() - start, 1)
        figures["files"] = {"before": loose, "after": len(store.list("reports/")), "of_tables": len(made.files)}
        after = measured(folder, (*WAYS, *glob), "after")
    for way, one in after.items():
        assert one["rows"] == before[way]["rows"], f"{way} finds other rows after the compaction"
        ratio = round(before[way]["seconds"] / one["seconds"], 1)
        figures[way] = {"before": before[way], "after": one, "times_faster": ratio}
    record(f"reports_{runs}_runs", figures)


if __name__ == "__main__":
    main()
