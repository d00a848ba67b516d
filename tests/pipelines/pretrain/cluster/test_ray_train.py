"""Pretraining by Ray Train: two workers are one process, and what is lost costs steps but not the result."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import torch

from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.executor.job_log import HEARTBEAT_SECONDS
from pipelines.loader.native.fetch import DamagedChunkError
from pipelines.pretrain import PretrainConfig, find_model, plan_training, pretrain
from pipelines.pretrain.assembly import make_trainer, resolve_recipe
from pipelines.pretrain.cluster.ray_train import train_with_ray
from pipelines.store import Dataset, resolve_dataset
from pipelines.store.logs import JobStatus, UnitStatus, job_status, unit_statuses
from pipelines.store.models.checkpoints import Checkpoint
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import checkpoints_of, stored_weights
from tests.ray_logs import wait_for_lines
from tests.scraped import exported, wait_for_metrics

ROOT = Path(__file__).resolve().parents[4]

# Ray gives its workers a low priority: beside other work they crawl.
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1200)]


def config(name: str, **changes: object) -> PretrainConfig:
    values: dict[str, object] = {"dataset": "d0", "name": name, "recipe": "smoke", "device": "cpu"}
    return PretrainConfig.model_validate(values | changes)


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    """A copy of the small store."""
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def losses(store: Store, name: str) -> torch.Tensor:
    curve = read_curve(ModelHandle(store, name), last_step=1000)
    rows = [row for row in curve.rows if row["metric"] in ("prediction", "sigreg")]
    return torch.tensor([row["value"] for row in rows])


@pytest.fixture(scope="module")
def undisturbed(small_store: Path, tmp_path_factory: pytest.TempPathFactory, ray_cluster: None) -> bytes:
    """Returns the weights after 200 steps of two workers that nothing happens to."""
    store = open_store(str(shutil.copytree(small_store, tmp_path_factory.mktemp("undisturbed") / "store")))
    pretrain(config("whole", steps=200, workers=2), store)
    return stored_weights(store, "whole")


def test_a_killed_worker_costs_no_result(store: Store, undisturbed: bytes) -> None:
    """The dataset grows meanwhile: those who go on keep to the version with which the training began."""
    killed: list[int] = []

    def extend_and_kill() -> None:
        while not checkpoints_of(store, "killed").steps():
            time.sleep(0.05)
        small_dataset(store, name="d0", steps=40, episodes=60)
        (attempt,) = attempts(store, "killed")
        os.kill(attempt.record.pid, signal.SIGKILL)
        killed.append(attempt.record.pid)

    thread = threading.Thread(target=extend_and_kill, daemon=True)
    thread.start()
    manifest = pretrain(config("killed", steps=200, workers=2), store)
    thread.join()
    assert len(killed) == 1 and resolve_dataset(store, "d0").version == 2
    assert manifest.dataset_ref == resolve_dataset(store, "d0@1")
    # Bit-equal: gloo adds in the same order for the same number of workers.
    assert stored_weights(store, "killed") == undisturbed
    check_attempts(store, "killed", killed[0])

    known = {"steps": 200.0, "checkpoint_failures": 0.0, "workers": 2.0, "restarts_total": 1.0}
    values = {f"ray_jepa_pretrain_{name}": value for name, value in known.items()}
    found = wait_for_metrics("killed", exported("jepa_pretrain_"), values)
    positive = ("loss", "clips_per_second", "step_seconds", "gradient_norm")
    assert all(found[f"ray_jepa_pretrain_{name}"] > 0 for name in positive)
    wait_for_metrics("pretrain-killed", exported("jepa_run_"))

    # Each attempt is a unit of the same job, and says so in the logs of its workers.
    about = {"job": "pretrain-killed", "dataset": "d0@1", "model": "killed"}
    (done,) = wait_for_lines(1, event="unit done", **about)
    assert done["unit"] == "attempt-0002"
    saved = wait_for_lines(1, event="checkpoint saved", unit="attempt-0001", **about)
    assert saved[0]["step"] > 0 and {line["run"] for line in saved} == {done["run"]}


def attempts(store: Store, name: str) -> list[UnitStatus]:
    return unit_statuses(store, job_of(store, name))


def job_of(store: Store, name: str) -> JobStatus:
    job = job_status(store, f"pretrain-{name}", datetime.now(UTC))
    assert job is not None
    return job


def check_attempts(store: Store, name: str, killed: int) -> None:
    """Checks that the attempt whose worker was killed, and the one that went on, have each left their log."""
    job, (first, second) = job_of(store, name), attempts(store, name)
    assert job.status == "done" and (job.record.heartbeat - job.record.started).total_seconds() >= HEARTBEAT_SECONDS
    assert first.status == "failed" and "ended without a word" in first.record.failures[-1].error
    assert second.status == "done" and second.record.pid not in (os.getpid(), killed)
    assert second.record.peak_memory_mb is not None and second.record.peak_memory_mb > 50


def test_the_driver_receives_a_preemption_signal(store: Store, ray_cluster: None) -> None:
    """A driver of its own on this Ray gets SIGTERM: its two workers checkpoint at once, and one process goes on."""
    driver, checkpoints = driver_at_work(store, "stopped", steps=300), checkpoints_of(store, "stopped")
    driver.send_signal(signal.SIGTERM)
    _, complaints = driver.communicate(timeout=400)
    assert driver.returncode == 130, complaints
    said = re.search(r"^jepa: interrupted at step (\d+), whose state is kept; the same command", complaints, re.M)
    kept = checkpoints.latest_step() or 0
    shown = [int(line.split(": ")[1].split("/")[0]) for line in complaints.splitlines() if "/300 steps" in line]
    assert said is not None and shown[-1] <= int(said[1]) == kept < 300  # nothing that was done and shown is done again
    for name in ("stopped", "one"):
        pretrain(config(name, steps=300, workers=1, executor="local"), store)
    # Rounding differs and grows: Adam's first steps follow the sign of gradients that are nearly zero. The weights of
    # few steps are compared in tests/jepa/training.
    one, stopped = losses(store, "one"), losses(store, "stopped")
    assert len(one) == len(stopped) == 2 * 61
    torch.testing.assert_close(stopped[:2], one[:2], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(stopped[:4], one[:4], atol=1e-5, rtol=5e-3)
    torch.testing.assert_close(stopped[:10], one[:10], atol=1e-4, rtol=5e-2)


def test_a_killed_driver_costs_no_result(store: Store, undisturbed: bytes) -> None:
    """A driver of its own on this Ray is killed: Ray ends its workers, and the same command goes on."""
    driver = driver_at_work(store, "orphaned", steps=200)
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 120
    while any(map(is_train_worker, psutil.process_iter(["cmdline"]))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_train_worker, psutil.process_iter(["cmdline"])))
    assert 0 < (checkpoints_of(store, "orphaned").latest_step() or 0) < 200
    pretrain(config("orphaned", steps=200, workers=2), store)
    assert stored_weights(store, "orphaned") == undisturbed


def driver_at_work(store: Store, name: str, steps: int) -> "subprocess.Popen[str]":
    """Returns a process of its own that trains on this Ray with two workers and has saved a first checkpoint."""
    import ray

    fields = {"dataset": "d0", "name": name, "recipe": "smoke", "device": "cpu", "steps": str(steps), "workers": "2"}
    words = [word for field, value in fields.items() for word in (f"--{field}", value)]
    command = [sys.executable, "-m", "flows.cli.main", "pretrain", *words, "--store", store.uri]
    # How to reach it, and its token, are in our environment as long as we are connected.
    cluster = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    driver = subprocess.Popen(command, cwd=ROOT, env=os.environ | cluster, stderr=subprocess.PIPE, text=True)
    while not checkpoints_of(store, name).steps() and driver.poll() is None:
        time.sleep(0.02)
    return driver


def is_train_worker(process: psutil.Process) -> bool:
    """Tells Ray's training workers of this session by the name that Ray gives their process."""
    try:
        title = " ".join(process.info["cmdline"] or [])
        return "RayTrainWorker" in title and os.getpid() in {parent.pid for parent in process.parents()}
    except psutil.Error:
        return False


def test_what_is_wrong_for_good_is_not_tried_again(store: Store, ray_cluster: None) -> None:
    dataset = Dataset(store, "d0")
    other = make_trainer(resolve_recipe(config("m0", learning_rate=0.5), dataset), dataset, "cpu")
    checkpoints_of(store, "m0").save(Checkpoint(1, other.state(), {"epoch": 0, "batch": 1}))
    with pytest.raises(InputError, match=r"the checkpoint was trained with train\.learning_rate = 0\.5"):
        pretrain(config("m0", workers=2), store)


def test_a_damaged_chunk_is_said_and_not_tried_again(store: Store, ray_cluster: None) -> None:
    """One worker meets it while the other waits for it; what comes home is the worker's own error."""
    for path in store.list("datasets/d0/shards/train/"):
        if path.endswith(".mds"):
            data = store.read(path)
            store.write(path, data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    warnings: list[str] = []
    task = replace(plan_training(config("m0", workers=2, max_failures=5), store), threads=1)
    with Progress().phase("pretrain", 40, "steps") as phase, pytest.raises(DamagedChunkError) as error:
        train_with_ray(task, phase, warnings.append)
    assert str(error.value).startswith("dataset 'd0', shards/train/shard-") and "is damaged" in str(error.value)
    assert isinstance(error.value.chunk, int) and not warnings
    assert not store.list("models/m0/checkpoints/") and find_model(store, "m0") is None
