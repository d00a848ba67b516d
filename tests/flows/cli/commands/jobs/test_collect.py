"""`jepa collect`: twice is once, and more episodes extend."""

from pathlib import Path

import pytest

from flows.cli.main import main
from tests.flows.cli.commands.small import COLLECT


def times(store: Path) -> dict[Path, int]:
    """Returns when everything in a store was written, but the records of the processes that looked into it."""
    paths = [path for path in store.rglob("*") if "processes" not in path.relative_to(store).parts]
    return {path: path.stat().st_mtime_ns for path in paths}


def test_collecting_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    before = times(tmp_path)
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    assert times(tmp_path) == before
    capsys.readouterr()
    assert main([*COLLECT, "--store", str(tmp_path), "--seed", "1"]) == 2
    assert "seed" in capsys.readouterr().err


def test_more_episodes_extend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path)]
    assert main([*COLLECT, *store]) == 0
    assert main([*COLLECT, "--episodes", "30", *store]) == 0
    assert "30 episodes, 210 frames" in capsys.readouterr().out
    assert main(["verify", "d0", "--version", "1", *store]) == 0
    assert "version 1, " in capsys.readouterr().out
    assert main([*COLLECT, *store]) == 2
    assert "holds 30 episodes and episodes is 20, but a dataset only grows" in capsys.readouterr().err
    assert main(["verify", "d0", "--version", "7", *store]) == 2
    assert "has no version 7" in capsys.readouterr().err


def test_a_frame_of_every_third_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path)]
    assert main([*COLLECT, "--frame-every", "3", *store]) == 0
    assert "20 episodes, 60 frames" in capsys.readouterr().out  # of the steps 0, 3 and 6
    assert main(["verify", "d0", *store]) == 0
    assert main(["ls", *store]) == 0
    assert "60, of every 3 steps" in capsys.readouterr().out
    assert main([*COLLECT, *store]) == 2
    assert "was collected with frame_every 3 and not 1" in capsys.readouterr().err
    pretrain = ["pretrain", "--dataset", "d0", "--name", "m0", "--recipe", "smoke", "--executor", "local"]
    assert main([*pretrain, *store]) == 2
    assert "frameskip is 5 and dataset 'd0' has a frame of every 3 steps (frame_every 3)" in capsys.readouterr().err
    assert main(["collect", "--help"]) == 0
    assert "--frame-every FRAME_EVERY" in capsys.readouterr().out
