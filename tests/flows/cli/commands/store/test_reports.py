"""`jepa reports` compacts, counts what it would take, and gives other programs the rows of a table, each once."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import main
from infra.storage import open_store
from pipelines.store.reports import write_tables
from tests.narrow import queried
from tests.pipelines.reports import synthetic
from tests.pipelines.store.reports.compaction.stage import in_all_ways, put


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["reports", *arguments]) == status
    out, err = capsys.readouterr()
    return out if status == 0 else err


def test_it_counts_then_compacts_and_says_how_rows_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, where = open_store(str(tmp_path / "s")), f"--store={tmp_path / 's'}"
    for key in "abc":
        put(store, key, 1)
    before = store.list()
    assert "3 units would be taken in, and 0 superseded rows" in answer(capsys, "compact", "--dry-run", where)
    assert store.list() == before
    made = json.loads(answer(capsys, "compact", where, "--json"))
    assert (made["taken"], made["units"], len(made["files"]), made["compacted"]) == (3, 3, 2, True)
    put(store, "b", 2, force=True)
    listed = answer(capsys, "files", where, "--table=training").splitlines()
    assert [line.split()[1:] for line in listed[1:]] == [["4", "2"], ["2", "0"]]
    sql = answer(capsys, "sql", where)
    assert queried(f"SELECT count(*), max(value) FROM ({sql})").fetchall() == [(6, 2.0)]
    answered = answer(capsys, "compact", where)
    assert "3 units lie in 2 files: 1 taken in, 4 rows dropped" in answered
    assert in_all_ways(store, ["a", "b", "c"]) == {"a": 1, "b": 2, "c": 1}


def test_the_query_leaves_out_checkpoints_and_shifts_unless_it_is_asked_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, where = open_store(str(tmp_path / "s")), f"--store={tmp_path / 's'}"
    beside: dict[str, dict[str, Any]] = {"a": {}, "b": {"training_step": 10}, "c": {"factor": "door"}}
    for key, facts in beside.items():
        rows = {"metrics": [synthetic.metric("latent", key, 1.0)]}
        write_tables(store, rows, key, synthetic.context(**facts))
    for given, right in {
        (): "a",
        ("--checkpoints",): "ab",
        ("--shifts",): "ac",
        ("--shifts", "--checkpoints"): "abc",
    }.items():
        rows_of = queried(f"SELECT metric FROM ({answer(capsys, 'sql', where, *given)}) ORDER BY 1").fetchall()
        assert "".join(metric for (metric,) in rows_of) == right, given
    assert len(answer(capsys, "files", where).splitlines()) == 4, "all files, whatever is in them"
    assert "shifts is given with 'files', which leaves no rows out" in answer(
        capsys, "files", where, "--shifts", status=2
    )


def test_what_it_cannot_do_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"--store={tmp_path}"
    assert "report table 'metric' is not known" in answer(capsys, "sql", where, "--table=metric", status=2)
    assert "dry_run is given with 'files'" in answer(capsys, "files", where, "--dry-run", status=2)
    assert "action" in answer(capsys, where, status=2)
