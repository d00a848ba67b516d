"""A training leaves a log for each attempt, whatever ended it."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from infra.work_log import UnitRecord, utc_now
from jepa.training.trainer import Trainer, TrainingFailure
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store.logs import JobStatus, LogFolder, UnitStatus, job_status, unit_statuses


def config(**changes: object) -> PretrainConfig:
    values: dict[str, object] = {"dataset": "d0", "name": "m0", "recipe": "smoke", "steps": 30, "device": "cpu"}
    return PretrainConfig.model_validate(values | {"executor": "local", "workers": 1} | changes)


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    """A copy of the small store."""
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def logs(store: Store, name: str = "m0") -> tuple[JobStatus, list[UnitStatus]]:
    job = job_status(store, f"pretrain-{name}", datetime.now(UTC))
    assert job is not None
    return job, unit_statuses(store, job)


def break_at(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> None:
    """Has training raise an exception after so many steps, once."""
    real = Trainer.step

    def stepping(self: Trainer, clips: object) -> dict[str, float]:
        if self.completed_steps == step:
            monkeypatch.setattr(Trainer, "step", real)
            raise error
        return real(self, clips)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "step", stepping)


def test_a_training_that_succeeds(store: Store) -> None:
    pretrain(config(), store)
    job, (attempt,) = logs(store)
    assert (job.status, job.record.done, job.record.total) == ("done", 1, 1) and job.record.config["steps"] == 30
    assert "pretrain m0: 30/30 steps (100 %)" in job.record.progress and "loss" in job.record.progress
    assert (attempt.record.name, attempt.status, attempt.earlier) == ("attempt-0001", "done", False)
    assert attempt.record.pid == os.getpid() and attempt.record.seconds
    pretrain(config(), store)  # nothing is left to do, and nothing is logged
    assert len(logs(store)[1]) == 1 and logs(store)[0].record == job.record


def test_each_attempt_has_its_log(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    break_at(monkeypatch, 25, TrainingFailure("the loss is nan at step 25"))
    with pytest.raises(TrainingFailure) as caught:
        pretrain(config(), store)
    assert f"log: {store.uri}/logs/pretrain-m0/attempt-0001.json" in caught.value.__notes__
    break_at(monkeypatch, 28, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        pretrain(config(), store)
    assert logs(store)[0].status == "interrupted"
    pretrain(config(), store)
    job, attempts = logs(store)
    assert job.status == "done"
    assert [(one.record.name, one.status, one.earlier) for one in attempts] == [
        ("attempt-0001", "failed", True),
        ("attempt-0002", "interrupted", True),
        ("attempt-0003", "done", False),
    ]
    (failure,) = attempts[0].record.failures
    assert failure.error == "TrainingFailure: the loss is nan at step 25" and "in stepping" in failure.traceback


def test_an_attempt_whose_process_was_killed_is_found_by_the_next(store: Store) -> None:
    folder = LogFolder(store, "pretrain", "m0")
    begun = UnitRecord(name="attempt-0001", run="r", status="running", host="h", pid=7, started=utc_now())
    folder.write_unit("attempt-0001", begun)
    pretrain(config(), store)
    _, (first, second) = logs(store)
    assert (first.status, first.record.host) == ("failed", "h") and second.status == "done"
    assert first.record.failures[-1].error == "InfraError: its process ended without a word"


def test_the_processes_of_a_training_agree_on_who_logs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.pretrain.records.attempt_log.rank", lambda: 1)
    pretrain(config(), store)
    assert logs(store)[1] == []
