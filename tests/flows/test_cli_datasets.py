"""Extending, repairing and importing datasets from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.cli.main import main
from tests.flows.test_cli import COLLECT

LOCAL = ["--executor", "local", "--actors", "1"]


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


def test_damage_is_named_and_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path)]
    assert main([*COLLECT, *store]) == 0
    shard = next((tmp_path / "datasets/d0/shards/train").glob("*.mds"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100])
    assert main(["verify", "d0", *store]) == 1
    assert "damaged: shards/train/shard-000000.mds episode" in capsys.readouterr().out
    assert main(["verify", "d0", "--repair", *LOCAL, *store]) == 0
    assert "every byte is as it was collected" in capsys.readouterr().out and shard.read_bytes() == whole


def test_a_published_file_becomes_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import h5py

    path, store = str(tmp_path / "published.h5"), ["--store", str(tmp_path / "store")]
    with h5py.File(path, "w") as file:
        file["pixels"] = np.zeros((60, 16, 16, 3), np.uint8)
        file["action"] = file["proprio"] = np.zeros((60, 2), np.float32)
        file["ep_len"], file["ep_offset"] = np.full(20, 3), 3 * np.arange(20)
    assert main(["import-hdf5", path, "--name", "d1", *LOCAL, *store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 60
    assert main(["verify", "d1", *store]) == 0
    assert main(["import-hdf5", path + "x", "--name", "d2", *LOCAL, *store]) == 2
    assert "published.h5x' does not exist" in capsys.readouterr().err and not (tmp_path / "store/datasets/d2").exists()
