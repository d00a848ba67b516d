"""TensorBoard shows the curve with no step twice; a service that fails, or is not installed, is said."""

import shutil
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.training.trainer import Trainer
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.pretrain.records.trackers import TRACKERS
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle


def config(name: str, **changes: object) -> PretrainConfig:
    fields = {"dataset": "d0", "recipe": "smoke", "executor": "local", "workers": 1, "device": "cpu", "steps": 70}
    return PretrainConfig.model_validate({**fields, "name": name, **changes})


@pytest.fixture
def local_store(small_store: Path, tmp_path: Path) -> Store:
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


class Cut(Exception):
    """Stands for a kill."""


def train_with_a_cut(store: Store, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Trains a model `m0` whose process ends after 49 steps, and again to the end."""
    real = Trainer.step

    def stepping(self: Trainer, clips: object) -> dict[str, float]:
        if self.completed_steps == 49:
            raise Cut
        return real(self, clips)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stepping)
        with pytest.raises(Cut):
            pretrain(config("m0", **changes), store)
    pretrain(config("m0", **changes), store)


def shown_by_tensorboard(folder: str) -> list[tuple[int, str, float]]:
    """Returns what TensorBoard's own reader finds, by step and name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    return sorted(
        (event.step, name, event.value) for name in events.Tags()["scalars"] for event in events.Scalars(name)
    )


def test_tensorboard_shows_the_curve(local_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    train_with_a_cut(local_store, monkeypatch)
    rows = read_curve(ModelHandle(local_store, "m0"), last_step=70).rows
    held = sorted((int(row["step"]), str(row["metric"]), float(row["value"])) for row in rows)
    shown = shown_by_tensorboard(local_store.address("models/m0/tensorboard"))
    assert [one[:2] for one in shown] == [one[:2] for one in held]
    assert [one[2] for one in shown] == pytest.approx([one[2] for one in held], rel=1e-6)
    assert {step for step, name, _ in held if name == "loss"} == {1, *range(5, 71, 5)}


def test_no_tracker_leaves_the_curve_alone(local_store: Store) -> None:
    pretrain(config("m0", steps=5, trackers=()), local_store)
    assert not local_store.list("models/m0/tensorboard/")
    assert read_curve(ModelHandle(local_store, "m0"), last_step=5).rows


def test_a_missing_package_is_said_before_any_work(local_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRACKERS.get("wandb"), "package", "no_such_package")
    with pytest.raises(InputError, match=r"trackers names 'wandb', whose .* install jepa-foundry\[wandb\]"):
        pretrain(config("m0", trackers=("wandb",)), local_store)
    assert not local_store.list("models/")
    with pytest.raises(ValueError, match="tracker 'paper' is not known; choose one of: mlflow, tensorboard, wandb"):
        config("m0", trackers=("paper",))


def test_mlflow_continues_its_run(local_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    train_with_a_cut(local_store, monkeypatch, trackers=("mlflow",))
    client = MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("jepa").experiment_id])
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "loss")]
    assert sorted(steps) == [1, *range(5, 71, 5)] and run.info.status == "FINISHED"
    assert run.data.params["train.batch_size"] == "32"


def test_wandb_writes_offline(local_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    pretrain(config("m0", steps=10, trackers=("wandb",)), local_store)
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
