"""A preemption signal makes a training checkpoint at once and end in order; the next goes on with no step lost."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from infra.storage import Store, open_store
from pipelines.pretrain import PretrainConfig, find_model, plan_training, pretrain, train_worker
from pipelines.pretrain.cluster.preemption import (
    Agreement,
    Preempted,
    PreemptionSignal,
    file_is_written,
    preemption_signal,
)
from tests.jepa.training.gloo import run_in_processes
from tests.narrow import present
from tests.pipelines.small_model import checkpoints_of, stored_weights

ROOT = Path(__file__).resolve().parents[4]
FIELDS = {"dataset": "d0", "recipe": "smoke", "executor": "local", "device": "cpu", "steps": 300}


@pytest.fixture
def local_store(small_store: Path, tmp_path: Path) -> Store:
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def config(name: str, **changes: object) -> PretrainConfig:
    return PretrainConfig.model_validate({**FIELDS, "name": name, **changes})


def wait_for_checkpoint(store: Store, name: str, after: int = 0) -> None:
    """Returns as soon as there is a checkpoint of a step beyond one."""
    deadline = time.monotonic() + 120
    while max(checkpoints_of(store, name).steps(), default=0) <= after:
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_process_killed_and_then_signalled_ends_in_the_same_weights(local_store: Store) -> None:
    """Real processes get real signals: SIGKILL costs the steps since the last checkpoint, SIGTERM none."""
    words = [word for name, value in {**FIELDS, "name": "stopped"}.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "flows.cli.main", "pretrain", *words, "--store", local_store.uri]
    checkpoints = checkpoints_of(local_store, "stopped")

    def signalled(number: int, after: int) -> tuple[int, list[str]]:
        """Returns the exit status of the command, and its lines; it is signalled after a checkpoint beyond a step."""
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_for_checkpoint(local_store, "stopped", after)
        process.send_signal(number)
        _, complaints = process.communicate(timeout=400)
        return process.returncode, complaints.splitlines()

    assert signalled(signal.SIGKILL, after=0)[0] == -signal.SIGKILL
    killed = checkpoints.latest_step() or 0
    status, lines = signalled(signal.SIGTERM, after=killed)
    kept = checkpoints.latest_step() or 0
    assert status == 130, lines
    assert lines[-1] == f"jepa: interrupted at step {kept}, whose state is kept; the same command goes on"
    assert killed < kept < 300 and find_model(local_store, "stopped") is None
    shown = [line for line in lines if "/300 steps" in line]
    assert int(shown[-1].split(": ")[1].split("/")[0]) <= kept  # nothing that was done and shown is done again

    resumed: list[int] = []
    train_worker(plan_training(config("stopped"), local_store), lambda step, _: resumed.append(step))
    assert kept < resumed[0] <= kept + 5
    pretrain(config("whole"), local_store)
    assert stored_weights(local_store, "stopped") == stored_weights(local_store, "whole")


def test_a_touched_file_is_a_signal(local_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.pretrain.cluster.preemption.LOOK_SECONDS", 0.02)
    file = tmp_path / "make-room"
    stopped = config("stopped", preemption_file=str(file))

    def touch() -> None:
        wait_for_checkpoint(local_store, "stopped")
        file.touch()

    threading.Thread(target=touch, daemon=True).start()
    with pytest.raises(Preempted, match="whose state is kept; the same command goes on") as preempted:
        pretrain(stopped, local_store)
    assert checkpoints_of(local_store, "stopped").latest_step() == present(preempted.value.step) < 300
    # The file is still there, and what goes on beside it is not stopped again.
    assert pretrain(stopped, local_store).name == "stopped"


def test_a_file_signals_when_it_comes_or_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "signal"
    comes = file_is_written(str(file))
    assert not comes()
    file.touch()
    assert comes()
    again = file_is_written(str(file))
    assert not again()
    os.utime(file, ns=(1, 1))
    assert again()
    file.unlink()
    assert not again()


def test_a_second_sigterm_ends_the_process() -> None:
    class Ended(Exception):
        pass

    def end(number: int, frame: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        with preemption_signal((), sigterm=True) as received:
            os.kill(os.getpid(), signal.SIGTERM)
            assert received.received
            with pytest.raises(Ended):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, before)


def agree(rank: int) -> dict[str, torch.Tensor]:
    """Rank 1 alone receives a signal, after 7 steps; returns the step at which this rank stops."""
    received, stopped = PreemptionSignal(), -1
    agreement = Agreement(received, every=5, device=torch.device("cpu"))
    for step in range(1, 41):
        if rank == 1 and step == 7:
            received.send()
        if agreement.reached(step):
            stopped = step
            break
    return {"stopped": torch.tensor(stopped)}


@pytest.mark.slow
def test_all_workers_stop_at_the_same_step() -> None:
    first, second = run_in_processes(agree, 2)
    assert first["stopped"] == second["stopped"] == 15  # asked at 10, answered at 15


def test_asking_can_be_switched_off() -> None:
    received = PreemptionSignal()
    received.send()
    assert not Agreement(received, every=0, device=torch.device("cpu")).reached(5)
    assert Agreement(received, every=5, device=torch.device("cpu")).reached(3)  # alone, at every step
