"""`jepa logs`: what the units of a job said and how each failed, from the store alone."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from tests.flows.cli.commands.small import COLLECT
from tests.flows.cli.commands.store.test_status import failed_job


def test_every_failed_attempt_has_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed_job(open_store(str(tmp_path)))
    assert main(["logs", "m0", "--store", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Traceback") == 2 and shown.count("attempt 2 failed after") == 1
    assert "── u3: failed" in shown and "── u1" not in shown
    assert main(["logs", "m0", "--unit", "u1", "--json", "--store", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["job"] == "evaluate-m0" and [unit["name"] for unit in answer["units"]] == ["u1"]


def test_silence_and_wrong_names_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["logs", "d0", "--store", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("collect-d0: done; none of its ")
    assert main(["logs", "d7", "--store", str(tmp_path)]) == 2
    assert "choose one of: collect-d0" in capsys.readouterr().err
    assert main(["logs", "d0", "--unit", "u", "--store", str(tmp_path)]) == 2
    assert "job 'collect-d0' has no unit 'u'; choose one of: " in capsys.readouterr().err
