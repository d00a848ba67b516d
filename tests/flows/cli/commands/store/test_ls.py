"""`jepa ls`: what a store holds, for people and for programs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli.commands.store.ls import age, size
from flows.cli.main import main
from infra.storage import open_store
from tests.pipelines.small_dataset import small_dataset


def test_an_empty_store_is_a_sentence_and_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "--store", str(tmp_path / "s")]) == 0
    assert capsys.readouterr().out == f"store {tmp_path / 's'} holds no dataset, model or run yet\n"
    assert not (tmp_path / "s").exists()


def test_a_dataset_is_a_row_and_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_dataset(open_store(str(tmp_path)), name="d0")
    assert main(["ls", "--store", str(tmp_path)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["dataset", "episodes", "frames", "size"]
    assert row.split()[:4] == ["d0@1", "(newest)", "40", "1,240"]
    assert main(["ls", "datasets", "--json", "--store", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["datasets"][0]["dataset"] == "d0@1" and answer["models"] == []
    assert main(["ls", "models", "--store", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"store {tmp_path} holds no models yet\n"


def test_of_what_is_unfinished_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_store(str(tmp_path)).write("datasets/d0/versions/000001/plan.json", b"{}")
    assert main(["ls", "--store", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "unfinished: datasets/d0; the command that began it, given again, finishes it, and `jepa gc`"
    )


def test_sizes_and_ages_are_short() -> None:
    assert [size(count) for count in (0, 999, 1000, 8_380_000, 10**15)] == ["0 B", "999 B", "1 KB", "8.38 MB", "1 PB"]
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    ages = [age(now, now - timedelta(seconds=seconds)) for seconds in (-5, 59, 60, 7300, 200_000)]
    assert ages == ["0 s", "59 s", "1 min", "2 h", "2 d"]
