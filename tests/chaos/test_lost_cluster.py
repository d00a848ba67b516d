"""A whole job on three raylets that loses a node in each phase, and its head once, makes the same bytes."""

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from infra.storage import Store, open_store
from pipelines.reports import read_table
from pipelines.store import DatasetHandle, verify
from pipelines.store.models.manifest import ModelHandle
from tests.chaos.raylets import Control, raylets
from tests.flows.jobs import command, environment, finished
from tests.pipelines.small_dataset import stored_bytes
from tests.pipelines.small_model import checkpoints_of

pytestmark = [pytest.mark.long, pytest.mark.ray, pytest.mark.prefect]

NAME = "whole"
SIZE = {"collect.episodes": 400, "collect.episodes-per-shard": 4, "pretrain.steps": 300, "pretrain.workers": 2}
ON_RAY = {f"{part}.executor": "ray" for part in ("collect", "pretrain", "evaluate")}
JOB = ["run", "--preset", "smoke", "--name", NAME, *(f"--{name}={value}" for name, value in (SIZE | ON_RAY).items())]
OF_TIME = ("clips_per_second", "data_wait")
"""Figures of how a training went, which no two trainings have alike; others of time are in seconds."""
PATIENCE = 1200.0
"""Seconds that anything may take."""


@pytest.mark.timeout(4000)
def test_a_node_lost_in_each_phase_and_the_head_once(tmp_path: Path) -> None:
    store, alone = (open_store(str(tmp_path / name)) for name in ("store", "alone"))
    (tmp_path / "store").mkdir()
    with raylets(2, PREFECT_HOME=str(tmp_path / "prefect")) as cluster:
        with submitted(tmp_path, store, cluster) as job:
            wait_for(lambda: len(store.list(f"datasets/{NAME}/completed/")) >= 5, job)
            assert not store.exists(f"datasets/{NAME}/manifest.json")
            lose_a_node(cluster)
            wait_for(lambda: checkpoints_of(store, NAME).latest_step(), job)
            lose_a_node(cluster)
            lost_at = checkpoints_of(store, NAME).latest_step() or 0
            wait_for(lambda: (checkpoints_of(store, NAME).latest_step() or 0) > lost_at + 40, job)
            assert ModelHandle(store, NAME).manifest() is None
            cluster.do("restart")
            status, shown = job.ended()
        assert status == 1, shown
        assert "was started again and does not know job" in shown.splitlines()[-1]
        with submitted(tmp_path, store, cluster) as job:
            wait_for(lambda: evaluated(store), job)
            lose_a_node(cluster)
            status, shown = job.ended()
        assert status == 0, shown
        assert "collect" not in shown.split("pretrain", 1)[0].split("its log", 1)[1]  # done by the job before
    undisturbed = finished([*JOB, "--store", alone.uri], tmp_path, PATIENCE)
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert verify(DatasetHandle(store, NAME)).ok and dataset_digest(store) == dataset_digest(alone)
    assert weights(store) == weights(alone)
    pd.testing.assert_frame_equal(rows(store), rows(alone))


def lose_a_node(cluster: Control) -> None:
    """Kills one of the two nodes with cores, and brings another: a job that needs both goes on."""
    cluster.do("kill 0")
    cluster.do("add")


class Following:
    """The command that follows the job, whose output goes to a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", shown: Path) -> None:
        self.process, self._shown = process, shown

    @property
    def shown(self) -> str:
        return self._shown.read_text()

    def ended(self) -> tuple[int, str]:
        """Returns the exit status and what was printed, when it has ended."""
        return self.process.wait(PATIENCE), self.shown


@contextmanager
def submitted(folder: Path, store: Store, cluster: Control) -> Iterator[Following]:
    """Gives the same command each time."""
    shown = folder / f"shown-{time.monotonic_ns()}"
    with shown.open("wb") as out:
        process = subprocess.Popen(
            command(*JOB, "--store", store.uri, "--submit"),
            cwd=folder,
            env=environment(folder, **cluster.variables),
            stdout=out,
            stderr=out,
        )
    try:
        yield Following(process, shown)
    finally:
        process.kill()
        process.wait()


def wait_for(look: Callable[[], object], job: Following) -> None:
    """Returns when something is seen that the job does, as long as the job is followed."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert job.process.poll() is None and time.monotonic() < deadline, job.shown
        time.sleep(0.1)


def evaluated(store: Store) -> list[str]:
    """Returns the units of evaluation that are done, of which training is none."""
    return [path for path in store.list("reports/manifests/") if "/training-" not in path]


def dataset_digest(store: Store) -> str:
    files = sorted(stored_bytes(store, NAME).items())
    return hashlib.sha256(repr([(path, hashlib.sha256(data).hexdigest()) for path, data in files]).encode()).hexdigest()


def weights(store: Store) -> str:
    return ModelHandle(store, NAME).require().weights_sha256


def rows(store: Store) -> pd.DataFrame:
    """Returns all figures but those of time."""
    table: pd.DataFrame = read_table(store, "metrics").compute()
    table = table[~table.metric.isin(OF_TIME) & (table.unit != "s")].drop(columns=["seconds", "created_at"])
    return table.sort_values(list(table.columns), ignore_index=True)
