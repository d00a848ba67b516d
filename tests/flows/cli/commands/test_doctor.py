"""`jepa doctor`: checks that are asked for, an answer for people and programs, and a status."""

import json
from pathlib import Path

import pytest

from flows.cli.doctor.checks import CHECKS
from flows.cli.main import main

PATIENT = ["--seconds", "300"]


def test_some_checks_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "store", "settings", "--store", str(tmp_path / "store"), *PATIENT]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["ok", "settings", "variables"] and lines[-1] == "10 ok"
    assert list(tmp_path.iterdir()) == []


def test_a_failure_for_programs_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["doctor", "--only", "store", "--store", str(tmp_path / "file" / "store"), "--json", *PATIENT]) == 1
    shown = capsys.readouterr()
    facts = json.loads(shown.out)
    assert facts["ok"] is False and facts["counts"]["failed"] == 1 and shown.err == ""
    failed = next(finding for finding in facts["findings"] if finding["status"] == "failed")
    assert failed["check"] == "store" and failed["step"] == "write" and failed["remedy"]


def test_an_address_that_is_none_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "store", "--store", "ftp://host", *PATIENT]) == 1
    assert "is no address we know" in capsys.readouterr().out


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "stroe"]) == 2
    assert "check 'stroe' is not known; choose some of: python" in capsys.readouterr().err


@pytest.mark.s3
def test_the_embedded_store_can_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "store", "--store", "s3", "--json", *PATIENT]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["ok"] == 8


@pytest.mark.long
def test_all_of_it_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--store", str(tmp_path / "store"), "--json", *PATIENT])
    facts = json.loads(capsys.readouterr().out)
    assert status == 0, [finding for finding in facts["findings"] if finding["status"] == "failed"]
    assert list(dict.fromkeys(finding["check"] for finding in facts["findings"])) == list(CHECKS)
    worlds = {finding["step"] for finding in facts["findings"] if finding["check"] == "worlds"}
    assert {"two_room", "pusht", "swm_two_room", "reacher", "cube"} <= worlds
