"""Checks in processes of their own: one that hangs or crashes is a finding, and the others are not disturbed."""

from pathlib import Path

import pytest

from flows.cli.doctor import run
from flows.cli.doctor.checks import CHECKS, Check
from flows.cli.doctor.findings import Asked, Finding, Status
from flows.cli.doctor.run import run_checks

TROUBLED = ("hangs", "stubborn", "crashes", "raises")


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TROUBLED:
        monkeypatch.setitem(CHECKS, name, Check("goes wrong", "look at it", room="tests.flows.cli.doctor.troubled"))


def by_step(found: list[Finding]) -> dict[str, Finding]:
    return {finding.step: finding for finding in found}


def test_what_crashes_or_raises_is_said_of_its_step(troubled: None) -> None:
    ended: list[None] = []
    found = run_checks(["raises", "crashes"], Asked("store", 120), 2, lambda: ended.append(None))
    assert [finding.check for finding in found] == ["raises"] * 3 + ["crashes"] * 2 and len(ended) == 2
    raised, crashed = by_step(found[:3]), by_step(found[3:])
    assert raised["first"].status == Status.FAILED and raised["first"].found == "ZeroDivisionError: by zero"
    assert raised["second"] == Finding("raises", "second", Status.OK, "works")
    assert raised["third"].status == Status.FAILED
    assert crashed["first"].status == Status.OK
    assert "was ended by SIGSEGV: the driver is broken" in crashed["second"].found and crashed["second"].remedy


@pytest.mark.parametrize("name", ["hangs", "stubborn"])
def test_what_hangs_is_ended_and_said(
    name: str, troubled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for Python to start on a busy machine: the time counts for each step.
    monkeypatch.setattr(run, "GRACE_SECONDS", 60 if name == "hangs" else 0.5)
    found = run_checks([name], Asked(str(tmp_path / "made"), 25), 1, lambda: None)
    assert found[-1].status == Status.FAILED and "did not end within 25 s" in found[-1].found
    assert "look at it" in found[-1].remedy and found[-1].step == {"hangs": "second", "stubborn": "only"}[name]
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_checks(troubled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 60)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_checks(["raises", "hangs"], Asked(str(tmp_path / "made"), 120), 2, interrupt)
    assert list(tmp_path.iterdir()) == []
