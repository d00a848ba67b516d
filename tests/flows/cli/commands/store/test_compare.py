"""`jepa compare`: for people, for programs, and refused."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from tests.pipelines.reports.comparison.judged import write_planning


@pytest.fixture
def two(tmp_path: Path) -> str:
    store = open_store(str(tmp_path / "runs"))
    for model, skill in (("m0", 0.4), ("m1", 0.8)):
        write_planning(store, model, skill)
    return store.uri


def test_people_read_lines_and_programs_an_object(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "m0", "m1", "--store", two]) == 0
    text = capsys.readouterr().out
    assert text.startswith("m1 less m0") and "McNemar" in text
    assert main(["compare", "m0", "m1", "--json", "--store", two]) == 0
    answer = json.loads(capsys.readouterr().out)
    success = next(one for one in answer["differences"] if one["metric"] == "success_rate")
    assert success["difference"] > 0.1 and success["ci_low"] > 0 and f"{success['difference'] * 100:+.1f}" in text
    assert main(["compare", "--models", "m0", "m1", "--kinds", "planning", "--store", two]) == 0
    assert capsys.readouterr().out == text


def test_one_model_alone_and_one_that_is_not_there_are_refused(two: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "m0", "--store", two]) == 2
    assert "two models or more" in capsys.readouterr().err
    assert main(["compare", "--store", two]) == 2
    assert "two models or more" in capsys.readouterr().err
    assert main(["compare", "m0", "nosuch", "--store", two]) == 2
    assert "there is no model 'nosuch'" in capsys.readouterr().err
