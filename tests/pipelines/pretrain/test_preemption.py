"""A notice makes a training checkpoint at once and end in order; the next one goes on with no step lost."""

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
from pipelines.pretrain import PretrainConfig, find_model, pretrain
from pipelines.pretrain.preemption import Agreement, Notice, Preempted, heeding_sigterm, touched
from pipelines.pretrain.worker import TrainingTask, train_worker
from pipelines.store.models.checkpoints import Checkpoints
from tests.jepa.training.gloo import run_in_processes

ROOT = Path(__file__).resolve().parents[3]
FIELDS = {"dataset": "d0", "recipe": "smoke", "executor": "local", "workers": 1, "device": "cpu", "steps": 300}


@pytest.fixture
def local_store(small_store: Path, tmp_path: Path) -> Store:
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def config(name: str, **changes: object) -> PretrainConfig:
    return PretrainConfig.model_validate({**FIELDS, "name": name, **changes})


def wait_for_checkpoint(store: Store, name: str, after: int = 0) -> None:
    """Returns as soon as there is a checkpoint of a step beyond one."""
    deadline = time.monotonic() + 120
    while max(Checkpoints(store, name).steps(), default=0) <= after:
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_process_killed_and_then_told_ends_in_the_same_weights(local_store: Store) -> None:
    """Real processes get real signals: SIGKILL costs the steps since the last checkpoint, SIGTERM none."""
    words = [word for name, value in {**FIELDS, "name": "told"}.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "flows.cli.main", "pretrain", *words, "--store", local_store.uri]
    checkpoints = Checkpoints(local_store, "told")

    def signalled(number: int, after: int) -> tuple[int, list[str]]:
        """Returns the exit status of the command, and its lines; it is signalled after a checkpoint beyond a step."""
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_for_checkpoint(local_store, "told", after)
        process.send_signal(number)
        _, complaints = process.communicate(timeout=400)
        return process.returncode, complaints.splitlines()

    assert signalled(signal.SIGKILL, after=0)[0] == -signal.SIGKILL
    killed = checkpoints.latest_step() or 0
    status, lines = signalled(signal.SIGTERM, after=killed)
    assert status == 130 and lines[-1] == "jepa: interrupted; the same command goes on from what is done", lines
    kept = checkpoints.latest_step() or 0
    assert killed < kept < 300 and find_model(local_store, "told") is None
    shown = [line for line in lines if "/300 steps" in line]
    assert int(shown[-1].split(": ")[1].split("/")[0]) <= kept  # nothing that was done and shown is done again

    resumed: list[int] = []
    train_worker(TrainingTask(config("told"), local_store.uri, run="told"), lambda step, _: resumed.append(step))
    assert kept < resumed[0] <= kept + 5
    pretrain(config("whole"), local_store)
    assert local_store.read("models/told/model.safetensors") == local_store.read("models/whole/model.safetensors")


def test_a_touched_file_is_a_notice(local_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.pretrain.preemption.LOOK_SECONDS", 0.02)
    file = tmp_path / "make-room"
    told = config("told", preemption_file=str(file))

    def touch() -> None:
        wait_for_checkpoint(local_store, "told")
        file.touch()

    threading.Thread(target=touch, daemon=True).start()
    with pytest.raises(Preempted, match="whose state is kept; the same command goes on") as preempted:
        pretrain(told, local_store)
    assert Checkpoints(local_store, "told").latest_step() == preempted.value.step < 300
    # The file is still there, and what goes on beside it is not stopped again.
    assert pretrain(told, local_store).name == "told"


def test_a_file_tells_when_it_comes_or_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "notice"
    comes = touched(str(file))
    assert not comes()
    file.touch()
    assert comes()
    again = touched(str(file))
    assert not again()
    os.utime(file, ns=(1, 1))
    assert again()
    file.unlink()
    assert not again()


def test_a_second_signal_is_no_notice_any_more() -> None:
    class Ended(Exception):
        pass

    def end(number: int, frame: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        with Notice() as notice, heeding_sigterm(notice):
            os.kill(os.getpid(), signal.SIGTERM)
            assert notice.given
            with pytest.raises(Ended):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, before)


def agree(rank: int) -> dict[str, torch.Tensor]:
    """Rank 1 alone has a notice, after 7 steps; returns the step at which this rank is told."""
    notice, told = Notice(), -1
    agreement = Agreement(notice, every=5, device=torch.device("cpu"))
    for step in range(1, 41):
        if rank == 1 and step == 7:
            notice.give()
        if agreement.reached(step):
            told = step
            break
    return {"told": torch.tensor(told)}


@pytest.mark.slow
def test_all_workers_stop_at_the_same_step() -> None:
    first, second = run_in_processes(agree, 2)
    assert first["told"] == second["told"] == 15  # asked at 10, answered at 15


def test_asking_can_be_switched_off() -> None:
    notice = Notice()
    notice.give()
    assert not Agreement(notice, every=0, device=torch.device("cpu")).reached(5)
    assert Agreement(notice, every=5, device=torch.device("cpu")).reached(3)  # alone, at every step
