"""What the progress line of a training shows."""

import shutil
from pathlib import Path

import pytest

from infra.progress import PhaseState, Progress
from infra.storage import open_store
from pipelines.pretrain import PretrainConfig, pretrain


class Shown:
    """A sink that keeps what every update showed."""

    def __init__(self) -> None:
        self.updates: list[tuple[int, dict[str, float]]] = []

    def begin(self, phase: PhaseState) -> None:
        return

    def update(self, phase: PhaseState) -> None:
        self.updates.append((phase.done, dict(phase.figures)))

    def end(self, phase: PhaseState, failed: bool) -> None:
        return


def test_loss_rate_data_wait_and_time_left(small_store: Path, tmp_path: Path) -> None:
    shutil.copytree(small_store, tmp_path / "store")
    fields = {"dataset": "d0", "name": "m0", "recipe": "smoke", "executor": "local", "workers": 1, "steps": 20}
    shown = Shown()
    pretrain(PretrainConfig.model_validate(fields), open_store(str(tmp_path / "store")), Progress(shown))
    assert [done for done, _ in shown.updates] == [1, 5, 10, 15, 20]
    figures = shown.updates[2][1]
    assert figures["loss"] > 0 and figures["clips/s"] > 0 and 0 <= figures["data wait %"] <= 100
    left = [figures["s left"] for _, figures in shown.updates[1:]]
    assert left[0] > left[-1] == pytest.approx(0.0)
