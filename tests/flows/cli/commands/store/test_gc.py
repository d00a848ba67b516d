"""`jepa gc`: lists what belongs to nothing, and deletes it with --yes."""

import os
import time
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from tests.pipelines.small_dataset import small_dataset


def test_old_leftovers_are_listed_and_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(str(tmp_path))
    small_dataset(store, name="d0")
    path = "datasets/d0/shards/train/shard-000099.mds"
    store.write(path, b"left")
    assert main(["gc", "--store", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing to delete\n"
    week = time.time() - 8 * 86400
    os.utime(tmp_path / path, (week, week))
    assert main(["gc", "--store", str(tmp_path)]) == 0
    assert f"no committed version: {path}\n1 files would be deleted" in capsys.readouterr().out and store.exists(path)
    assert main(["gc", "--yes", "--store", str(tmp_path)]) == 0
    assert "1 files deleted (1 of no committed version)" in capsys.readouterr().out and not store.exists(path)
