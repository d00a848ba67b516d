"""The sweep of recipes as a job: each cell once, in whatever world is asked for, also where it was killed before."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.studies.recipes.presets import TINY
from pipelines.reports.page import ReportConfig, report
from pipelines.store.reports import committed_units, read_table
from pipelines.study import StudyConfig, study

LITTLE: dict[str, Any] = {"amount": 2, "episodes": 8, "batch_size": 8}
GRID = [
    TINY | LITTLE | {"experiment": "reference", "seed": [0, 1]},
    TINY | LITTLE | {"experiment": "latent_8", "latent_size": 8, "seed": [0, 1]},
]


def config(**changes: Any) -> StudyConfig:
    return StudyConfig.model_validate({"study": "recipes", "executor": "local", "grid": GRID, "run": "mine"} | changes)


def values(store: Store) -> list[tuple[Any, ...]]:
    """Returns the figures without those that a clock makes."""
    table = read_table(store, "study_recipes").compute()
    table = table[table.metric != "training_seconds"].sort_values(["experiment", "seed", "metric", "quantity"])
    return list(table[["experiment", "seed", "metric", "value"]].itertuples(index=False, name=None))


@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_and_is_then_not_done_again(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "killed"))
    command = [sys.executable, "-m", "flows.cli", "study", "recipes", "--store", store.uri, "--executor", "local"]
    process = subprocess.Popen(
        [*command, "--run", "mine", "--grid", json.dumps(GRID)],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 240
    while not committed_units(store):
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    left = len(committed_units(store))
    done = study(config(), store)
    assert 1 <= left == len(done.earlier) < len(done.units) == 4
    before = {path: store.read(path) for path in store.list("reports/")}
    again = study(config(), store)
    assert len(again.earlier) == 4 and again.findings == done.findings
    assert {path: store.read(path) for path in store.list("reports/")} == before
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    study(config(), undisturbed)
    assert values(store) == values(undisturbed)
    page = store.read(report(ReportConfig(run=done.run), store, Progress()).path).decode()
    assert "Score on validation episodes" in page and "latent_8" in page


def test_the_world_is_that_of_the_command(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    done = study(config(grid=GRID[:1], world="counting", cell={"seed": 0, "policies": "own"}), store)
    (unit,) = done.units
    assert unit.world == "counting"
    assert all("counting" in text or "random" in text for text in read_table(store, "study_recipes").compute().policies)
