"""The loaders' benchmark runs: a row on small frames, and the shuffle's figures."""

import json
import sys
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.store import Dataset
from tests.bench.loading import bench_loader, bench_loader_rows
from tests.bench.loading.bench_digests import paired
from tests.bench.loading.bench_loader_quality import shuffle_quality
from tests.pipelines.small_dataset import small_dataset


def test_a_row_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small_dataset(open_store(str(tmp_path)), name="pusht", episodes=40)
    sizes = ["--batches", "5", "--warm-up", "1"]
    monkeypatch.setattr(sys, "argv", ["rows", "native", "--store", str(tmp_path), *sizes])
    bench_loader_rows.main()
    row = json.loads(capsys.readouterr().out)
    assert row["clips_per_second"] > 0 and row["cpu_us_a_clip"]["decode"] > 0 and row["requests"] == 0
    bench_loader._print({"native": row}, {}, {})
    assert "CPU µs a clip, native: schedule" in capsys.readouterr().out


def test_shuffling_in_nearby_batches_is_near_to_a_full_shuffle() -> None:
    quality = shuffle_quality(batches=40)
    assert quality["a full shuffle"]["shared_with_next"] < quality["8 windows, 2 chunks"]["shared_with_next"]
    assert quality["1 window, 2 chunks"]["twice_in_a_batch"] == 0


def test_the_cost_of_digests_is_measured_in_pairs(tmp_path: Path) -> None:
    small_dataset(open_store(str(tmp_path)), name="d0", episodes=60)
    figures = paired(Dataset(open_store(str(tmp_path)), "d0"), batches=16, batch_size=4)
    assert figures["pairs"] == 4 and 0 < figures["low"] <= figures["ratio"] <= figures["high"]
    assert figures["check_seconds"]["no"] == 0 < figures["check_seconds"]["with"]
