"""Whatever a tracker does wrong, and wherever, the training goes on, says so once and keeps the other trackers."""

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from infra.storage import Store, open_store
from pipelines.pretrain import pretrain
from pipelines.pretrain.records.trackers import TRACKERS, Tracked, Tracker, TrackerGroup
from pipelines.store.models.manifest import ModelHandle
from tests.pipelines.small_model import checkpoints_of, small_training, stored_weights


class Recording(Tracker):
    """Keeps what it was handed."""

    calls: ClassVar[list[str]] = []

    def __init__(self, tracked: Tracked) -> None:
        self.calls.append("opened")

    def log(self, step: int, figures: dict[str, float]) -> None:
        self.calls.append(f"log {step}")
        figures.clear()  # the others have copies of their own

    def part(self, step: int) -> tuple[str, bytes] | None:
        self.calls.append(f"part {step}")
        return f"recording/{step}", b"part"

    def close(self) -> None:
        self.calls.append("closed")


class FailsToOpen(Recording):
    def __init__(self, tracked: Tracked) -> None:
        raise ConnectionError("no answer")


class FailsToLog(Recording):
    def log(self, step: int, figures: dict[str, float]) -> None:
        raise ConnectionError("no answer")


class FailsToCut(Recording):
    def part(self, step: int) -> tuple[str, bytes] | None:
        raise ConnectionError("no answer")


class FailsToClose(Recording):
    def close(self) -> None:
        raise ConnectionError("no answer")


class Exits(Recording):
    """As a library does that finds no key and calls `sys.exit`."""

    def __init__(self, tracked: Tracked) -> None:
        raise SystemExit("no answer")


class LeavesTheFolder(Recording):
    """Its file would keep every checkpoint from being written."""

    def part(self, step: int) -> tuple[str, bytes] | None:
        return "../elsewhere", b"part"


class LeavesNoBytes(Recording):
    def part(self, step: int) -> tuple[str, bytes] | None:
        return "recording/part", "text"  # type: ignore[return-value]


FAILING = (FailsToOpen, FailsToLog, FailsToCut, FailsToClose, Exits, LeavesTheFolder, LeavesNoBytes)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "calls", [])
    for kind in (Recording, *FAILING):
        monkeypatch.setitem(TRACKERS._entries, kind.__name__, kind)


def tracked(store: Store) -> Tracked:
    return Tracked("id", ModelHandle(store, "m0"), 0, {})


@pytest.mark.parametrize("kind", FAILING)
def test_one_that_fails_is_said_once_and_left_out(kind: type[Tracker], tmp_path: Path) -> None:
    warnings: list[str] = []
    group = TrackerGroup([kind.__name__, "Recording"], tracked(open_store(str(tmp_path))), warnings.append)
    for step in (1, 2):
        group.log(step, {"loss": 1.0})
        assert group.parts(step)["recording/" + str(step)] == b"part"
    group.close()
    (said,) = warnings
    assert said.startswith(f"tracker {kind.__name__!r} failed (") and said.endswith("; training goes on without it")
    assert Recording.calls.count("log 2") >= 1 and Recording.calls[-1] == "closed"


def test_each_gets_figures_of_its_own(tmp_path: Path) -> None:
    figures = {"loss": 1.0}
    TrackerGroup(["Recording", "Recording"], tracked(open_store(str(tmp_path)))).log(1, figures)
    assert figures == {"loss": 1.0} and Recording.calls == ["opened", "log 1"]  # named twice, opened once


def test_a_name_whose_module_does_not_import_is_left_out_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACKERS._modules, "broken", "no.such.module")
    warnings: list[str] = []
    TrackerGroup(["broken"], tracked(open_store(str(tmp_path))), warnings.append).log(1, {})
    assert warnings == [
        "tracker 'broken' failed (ModuleNotFoundError: No module named 'no'); training goes on without it"
    ]


@pytest.mark.parametrize("kind", FAILING)
def test_no_tracker_ends_a_training_or_keeps_its_checkpoints_from_being_written(
    kind: type[Tracker], small_store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(str(shutil.copytree(small_store, tmp_path / "store")))
    trackers = (kind.__name__, "tensorboard")
    pretrain(small_training(steps=3, trackers=trackers, train_options={"checkpoint_every": 2}), store)
    assert checkpoints_of(store, "m0").steps() == [3] and stored_weights(store, "m0")
    assert len(store.list("models/m0/tensorboard/")) == 2
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1 and said[0].startswith(f"tracker {kind.__name__!r} failed (")
