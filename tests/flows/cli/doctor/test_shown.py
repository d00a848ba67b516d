"""How findings are shown: aligned, with marks that need no colour, and without secrets."""

from collections import Counter

import pytest

from flows.cli.doctor.findings import Finding, Status
from flows.cli.doctor.shown import as_facts, as_lines

FOUND = [
    Finding("store", "write", Status.OK, "11 bytes"),
    Finding("store", "conditional write", Status.FAILED, "ignored", "use another"),
    Finding("gpu", "nccl", Status.SKIPPED, "no GPU"),
]
COUNTS = Counter(finding.status for finding in FOUND)


def test_the_lines_are_aligned_and_need_no_colour() -> None:
    assert as_lines(FOUND, COUNTS) == [
        "ok       store  write              11 bytes",
        "failed          conditional write  ignored",
        "                                   → use another",
        "skipped  gpu    nccl               no GPU",
        "",
        "1 ok, 1 failed, 1 skipped",
    ]


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colours_unless_it_wants_none(
    variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[31;1mfailed" in as_lines(FOUND, COUNTS)[1]) is coloured


def test_programs_get_facts() -> None:
    facts = as_facts(FOUND, COUNTS)
    assert facts["ok"] is False and facts["counts"] == {"ok": 1, "warning": 0, "failed": 1, "skipped": 1}
    assert facts["findings"][1] == {
        "check": "store",
        "step": "conditional write",
        "status": "failed",
        "found": "ignored",
        "remedy": "use another",
    }


def test_no_secret_of_the_environment_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "very/secret+key",
        "AWS_SESSION_TOKEN": "session-of-mine",
        "PREFECT_API_AUTH_STRING": "user:word-to-pass",
        "RAY_AUTH_TOKEN": "token-of-the-cluster",
        "WANDB_API_KEY": "key-of-a-tracker",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    said = " and ".join([*secrets.values(), "word-to-pass", "http://me:in-an-address@host/x"])
    found = [Finding("store", "write", Status.FAILED, said, said)]
    shown = "\n".join(as_lines(found, Counter())) + str(as_facts(found, Counter()))
    for secret in (*secrets.values(), "word-to-pass", "in-an-address"):
        assert secret not in shown
    assert "http://***@host/x" in shown
