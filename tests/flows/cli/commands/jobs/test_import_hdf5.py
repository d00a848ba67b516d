"""`jepa import-hdf5`: a published file becomes a dataset."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.cli.main import main
from tests.flows.cli.commands.small import LOCAL


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
