"""What rank 0 keeps: figures with the machinery's own, checkpoints with the curve up to them, and nothing unclaimed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from infra.errors import InfraError
from infra.storage import open_store
from jepa.training.recipes import RECIPES
from jepa.training.state import TrainingState
from pipelines.loader.counters import LoaderCounters
from pipelines.pretrain.records import run_log as run_log_module
from pipelines.pretrain.records.run_log import NoRunLog, RunLog, open_run_log
from pipelines.pretrain.task import TrainingTask
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.origin import Origin
from pipelines.store.references import DatasetRef
from tests.pipelines.small_model import small_training

ORIGIN = Origin(request={}, dataset_ref=DatasetRef(name="d0", version=1, digest="0" * 64))


@pytest.fixture
def model(tmp_path: Path) -> ModelHandle:
    return ModelHandle(open_store(str(tmp_path / "store")), "m0")


@pytest.fixture
def warnings() -> list[str]:
    return []


def opened(model: ModelHandle, warnings: list[str], step: int = 0, claim: int | None = None) -> RunLog:
    task = TrainingTask(small_training(), model.store.uri, "r0", ORIGIN, claim)
    return RunLog(task, RECIPES.get("smoke"), Checkpoints(model), step, None, warnings.append)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, TrainingState({"weight": torch.zeros(2)}, {}), {"epoch": 0, "batch": step}, ORIGIN)


def test_figures_come_with_the_machinery_s_own(model: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[tuple[int, dict[str, float]]] = []
    clock: Iterator[float] = iter([100.0, 110.0])
    task = TrainingTask(small_training(trackers=()), model.store.uri, "r0", ORIGIN)
    monkeypatch.setattr("pipelines.pretrain.records.run_log.time.monotonic", lambda: next(clock, 110.0))
    log = RunLog(task, RECIPES.get("smoke"), Checkpoints(model), 0, lambda *one: reported.append(one), print)
    log.log(5, {"loss": 1.0}, wait_share=0.25)
    ((step, figures),) = reported
    assert step == 5 and figures.pop("step_seconds") == 10.0 / 5
    assert figures == {
        "loss": 1.0,
        "data_wait": 0.25,
        "workers": 1.0,
        "clips_per_second": 5 * 32 / 10.0,
        "checkpoint_seconds": 0.0,
        "checkpoint_failures": 0.0,
    }
    assert {row["metric"]: row["value"] for row in log.curve.rows} == figures


def test_the_pace_of_slow_steps_is_reported_and_not_kept(model: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[tuple[int, dict[str, float]]] = []
    now = [100.0]
    monkeypatch.setattr("pipelines.pretrain.records.run_log.time.monotonic", lambda: now[0])
    task = TrainingTask(small_training(trackers=()), model.store.uri, "r0", ORIGIN)
    log = RunLog(task, RECIPES.get("smoke"), Checkpoints(model), 0, lambda *one: reported.append(one), print)
    for step, now[0] in ((1, 104.0), (2, 106.0), (3, 110.0), (4, 112.0)):
        log.passed(step, LoaderCounters)
    assert [(step, figures["step_seconds"]) for step, figures in reported] == [(2, 3.0), (4, 3.0)]
    assert reported[0][1]["clips_per_second"] == pytest.approx(32 / 3) and not log.curve.rows


def test_a_checkpoint_comes_with_the_curve_and_the_trackers_files(model: ModelHandle, warnings: list[str]) -> None:
    with opened(model, warnings) as log:
        log.log(1, {"loss": 2.0}, 0.0)
        log.checkpoint(checkpoint(1), seconds=0.5)
        assert log.saved(1) and not log.saved(2)
        log.log(2, {"loss": 1.0}, 0.0)
    assert Checkpoints(model).steps() == [1]
    held = read_curve(model, last_step=10)
    assert {row["step"] for row in held.rows} == {1} and held.id == log.curve.id and held.seconds > 0
    assert len(model.store.list("models/m0/tensorboard/")) == 1 and not warnings
    lost = [row["value"] for row in log.curve.rows if row["metric"] == "checkpoint_seconds"]
    assert lost == [0.0, 0.5]


def test_it_goes_on_from_what_is_held_up_to_a_step(model: ModelHandle, warnings: list[str]) -> None:
    with opened(model, warnings) as log:
        for step in (1, 2, 3):
            log.log(step, {"loss": float(step)}, 0.0)
        log.close_figures(3)
    with opened(model, warnings, step=2) as again:
        assert {row["step"] for row in again.curve.rows} == {1, 2} and again.curve.id == log.curve.id
        assert again.saved(2)  # it was resumed from there


def test_a_store_that_fails_is_said_and_counted(
    model: ModelHandle, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.pretrain.records.background_writer.RETRY_SECONDS", ())

    def fails(*_: object) -> None:
        raise InfraError("the disk is full")

    with opened(model, warnings) as log:
        monkeypatch.setattr(type(model.store), "write", fails)
        log.checkpoint(checkpoint(1), seconds=0.0)
        assert not log.saved(1)
        log.log(2, {"loss": 1.0}, 0.0)
        monkeypatch.undo()
    assert warnings == [f"{Checkpoints(model).address(1)} was not written (the disk is full); training goes on"]
    assert log.curve.rows[-1] == {"step": 2, "metric": "checkpoint_failures", "value": 1.0}


def test_who_lost_the_name_writes_no_checkpoint(model: ModelHandle, warnings: list[str]) -> None:
    model.store.write(model.layout.claim(2), b"another's")
    with opened(model, warnings, claim=2) as log:
        log.log(1, {"loss": 1.0}, 0.0)
        log.checkpoint(checkpoint(1), seconds=0.0)
        assert log.saved(1)
    model.store.write(model.layout.claim(3), b"{}")
    held = model.store.list()
    with opened(model, warnings, step=1, claim=2) as log:
        log.checkpoint(checkpoint(2), seconds=0.0)
        assert not log.saved(2)  # at once: the writer does not try again
    assert model.store.list() == held and len(warnings) == 1


def test_one_rank_keeps_and_the_others_do_nothing(model: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    task = TrainingTask(small_training(), model.store.uri, "r0", ORIGIN)
    arguments = (task, RECIPES.get("smoke"), Checkpoints(model), 0, None, print)
    with open_run_log(*arguments) as log:
        assert isinstance(log, RunLog)
    monkeypatch.setattr(run_log_module, "rank", lambda: 1)
    before = model.store.list()
    with open_run_log(*arguments) as other:
        assert isinstance(other, NoRunLog)
        other.log(1, {"loss": 1.0}, 0.0)
        other.checkpoint(checkpoint(1), 0.0)
        assert other.saved(1)
    assert model.store.list() == before
