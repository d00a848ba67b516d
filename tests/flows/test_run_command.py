"""`jepa run`: says which units of its evaluation stand from before."""

import json
from pathlib import Path

import pytest

from flows.cli.commands.jobs import run
from flows.cli.main import main
from flows.whole_job.needs import JobNeeds
from infra.storage import open_store
from pipelines.store.reports import plan_run, write_tables
from tests.pipelines.reports import synthetic


def test_units_that_stand_from_before_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(str(tmp_path))
    plan_run(store, "m0", ["a", "b", "c"], {})
    before = synthetic.context("m0", code_version="0.1.0+g1")
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", before)

    def job(*_: object) -> JobNeeds:
        for key in ("b", "c"):
            write_tables(store, {"metrics": synthetic.probing_metrics()}, key, synthetic.context("m0"))
        return JobNeeds(collecting=None, training=None)

    monkeypatch.setattr(run, "_run", job)
    ask = ["run", "--preset", "smoke", "--name", "m0", "--store", str(tmp_path)]
    assert main([*ask, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["units"]["total"] == 3 and [unit["key"] for unit in answer["units"]["done_before"]] == ["a"]
    monkeypatch.setattr(run, "_run", lambda *_: JobNeeds(collecting=None, training=None))
    assert main(ask) == 0
    lines = capsys.readouterr().out.splitlines()
    (sentence,) = [line for line in lines if "units were done" in line]
    assert sentence.startswith("3 of 3 units were done before, 1 by code 0.1.0+g1 on ")
    assert sentence.endswith("; --evaluate.force does them again")
