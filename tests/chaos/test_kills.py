"""Workers and drivers killed at random moments: the run, or the next one, ends with the bytes of an undisturbed one."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra.storage import open_store
from pipelines.collect import collect
from pipelines.executor.pool import STARTS
from pipelines.store import DatasetHandle, verify
from tests.chaos.slow import children, collect_slowly, dataset_digest, is_alive, wait_for_shards
from tests.pipelines.small_dataset import small_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CHAOS = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink an example takes whole jobs
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of what one process leaves that nobody disturbs."""
    store = open_store(str(tmp_path_factory.mktemp("undisturbed")))
    collect(small_config(), store)
    return dataset_digest(store)


def kill_at(moments: list[float], victims: Callable[[], list[int]], choice: random.Random) -> threading.Thread:
    """Kills one of the victims that there are at each moment, in seconds from now."""

    def run() -> None:
        begun = time.monotonic()
        for moment in sorted(moments):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            if alive := victims():
                os.kill(choice.choice(alive), signal.SIGKILL)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def collecting_children() -> list[int]:
    """Returns the processes of a local run, known by what multiprocessing starts them with."""
    found = []
    for child in children():
        command = Path(f"/proc/{child}/cmdline").read_text() if is_alive(child) else ""
        if "spawn_main" in command:
            found.append(child)
    return found


def collecting_actors() -> list[int]:
    """Returns the processes of our actors, named by Ray after the class."""
    return [one.pid for one in psutil.process_iter(["name", "cmdline"]) if "ray::_Actor" in _command(one)]


def _command(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or []) + (process.info["name"] or "")


@CHAOS
@given(moments=st.lists(st.floats(0.2, 9), min_size=1, max_size=STARTS), seed=st.integers(0, 1000))
def test_processes_killed_at_any_moment(undisturbed: str, moments: list[float], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        killer = kill_at(moments, collecting_children, random.Random(seed))
        collect_slowly(small_config(actors=2, retries=len(moments)), store)
        killer.join()
        assert verify(DatasetHandle(store, "small")).ok and dataset_digest(store) == undisturbed


@pytest.mark.ray
@CHAOS
@given(moments=st.lists(st.floats(1, 12), min_size=1, max_size=STARTS - 1), seed=st.integers(0, 1000))
def test_actors_killed_at_any_moment(ray_cluster: None, undisturbed: str, moments: list[float], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        killer = kill_at(moments, collecting_actors, random.Random(seed))
        collect_slowly(small_config(executor="ray", actors=2, retries=len(moments)), store)
        killer.join()
        assert verify(DatasetHandle(store, "small")).ok and dataset_digest(store) == undisturbed


def run_driver(folder: str) -> None:
    collect_slowly(small_config(actors=2), open_store(folder))


@CHAOS
@given(moment=st.floats(0.5, 12))
def test_the_driver_killed_at_any_moment(undisturbed: str, moment: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        driver = multiprocessing.get_context("spawn").Process(target=run_driver, args=(folder,))
        driver.start()
        driver.join(moment)
        orphans = children(driver.pid) if driver.is_alive() else []
        driver.kill()
        driver.join()
        store = open_store(folder)
        collect(small_config(), store)
        assert verify(DatasetHandle(store, "small")).ok and dataset_digest(store) == undisturbed
        deadline = time.monotonic() + 120
        while any(map(is_alive, orphans)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(is_alive, orphans))


@pytest.mark.parametrize("executor", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_the_command_killed_and_given_again(tmp_path: Path, executor: str) -> None:
    flags = {
        "name": "small",
        "episodes": 600,
        "steps": 30,
        "image-size": 32,
        "episodes-per-shard": 4,
        "chunk-frames": 12,
    }
    given = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "flows.cli.main", "collect", *given, "--executor", executor, "--actors", "2"]
    store, alone = open_store(str(tmp_path / "store")), open_store(str(tmp_path / "alone"))
    first = subprocess.Popen([*command, "--store", store.uri], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_for_shards(store, 5)
    first.kill()
    first.wait()
    assert not store.exists("datasets/small/manifest.json")
    subprocess.run([*command, "--store", store.uri], cwd=ROOT, check=True, capture_output=True, timeout=550)
    collect(small_config(episodes=600), alone)
    assert verify(DatasetHandle(store, "small")).ok and dataset_digest(store) == dataset_digest(alone)


@pytest.mark.ray
def test_a_node_is_lost(tmp_path: Path, undisturbed: str) -> None:
    command = [sys.executable, "-m", "tests.chaos.lose_a_node", str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=550)
    assert answer.returncode == 0, answer.stderr[-3000:]
    store = open_store(str(tmp_path))
    assert "1 node lost" in answer.stdout
    assert verify(DatasetHandle(store, "small")).ok and dataset_digest(store) == undisturbed
