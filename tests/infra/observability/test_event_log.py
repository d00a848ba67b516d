"""Log lines of a process: JSON where a program reads them, pretty on a terminal, and elsewhere as without us."""

import io
import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from infra.errors import InfraError
from infra.observability.event_log import log_mode

SCRIPT = """
import logging, sys, warnings
from infra.observability.event_log import bound, configure_logging, event
configure_logging()
log = logging.getLogger("pipelines.somewhere")

class Odd:
    def __repr__(self):
        raise ValueError

with bound(run="r1", dataset="d0@2", model=None):
    event("unit done", unit="shard-1", share=float("nan"), place=object, odd=Odd(), parts=(1, 2.5, None))
    log.warning("disk %d %% full\\nand so on", 97)
    try:
        password = "hidden-local"
        raise OSError(f"no answer from http://me:hidden-user@host/ with {sys.argv[1]}")
    except OSError:
        log.exception("the store failed")
log.info("outside")
logging.getLogger("some.library").info("not for anybody")
warnings.warn("odd value")
"""
SECRET = 'hidden"value/of a key'


def run(stderr: int, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"AWS_SECRET_ACCESS_KEY": SECRET} | variables
    command = [sys.executable, "-c", SCRIPT, SECRET]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=120)


def test_each_line_is_an_object_with_the_context_and_no_secret() -> None:
    text = run(subprocess.PIPE, JEPA_LOG="json").stderr
    lines: list[dict[str, Any]] = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    done, full, failed, outside, warned = lines
    assert {
        "event": "unit done",
        "run": "r1",
        "dataset": "d0@2",
        "unit": "shard-1",
        "level": "info",
    }.items() <= done.items()
    assert (done["share"], done["place"], done["parts"]) == ("nan", "<class 'object'>", [1, 2.5, None])
    assert done["odd"] == "<cannot be shown: ValueError>" and "model" not in done
    assert all(line["host"] and line["pid"] and line["timestamp"].endswith("Z") for line in lines)
    assert (full["event"], full["level"], full["logger"]) == (
        "disk 97 % full\nand so on",
        "warning",
        "pipelines.somewhere",
    )
    assert failed["exception"].startswith("Traceback") and "http://***@host/ with ***" in failed["exception"]
    assert outside["event"] == "outside" and "run" not in outside
    assert "odd value" in warned["event"] and warned["logger"] == "py.warnings"
    assert "hidden-user" not in text and "value/of a key" not in text


@pytest.mark.parametrize(("setting", "events"), [("auto", False), ("pretty", True)])
def test_on_a_terminal_lines_are_for_people(setting: str, events: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        run(theirs, JEPA_LOG=setting, TERM="dumb", NO_COLOR="1")
        text = os.read(ours, 100_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    warning = next(line for line in text.splitlines() if "disk 97 % full" in line)
    assert "warning" in warning and "dataset" in text and "d0@2" in text and "{" not in warning
    assert ("unit done" in text) == ("outside" in text) == events
    assert "Traceback" in text and "hidden" not in text.replace('password = "hidden-local"', "")


def test_in_a_file_lines_are_as_without_us() -> None:
    lines = run(subprocess.PIPE).stderr.splitlines()
    assert lines[:3] == ["disk 97 % full", "and so on", "the store failed"]
    assert any("UserWarning: odd value" in line for line in lines)
    assert not any("unit done" in line or line.startswith("{") for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("setting", "stderr", "background", "mode"),
    [
        (None, Terminal(), False, "pretty"),
        (None, io.StringIO(), False, "plain"),
        ("auto", io.StringIO(), True, "json"),
        ("json", Terminal(), False, "json"),
        ("pretty", io.StringIO(), True, "pretty"),
    ],
)
def test_the_variable_decides_and_else_who_reads(
    setting: str | None, stderr: io.StringIO, background: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    if setting is not None:
        monkeypatch.setenv("JEPA_LOG", setting)
    assert log_mode(background) == mode


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_LOG", "xml")
    with pytest.raises(InfraError, match="JEPA_LOG is 'xml'; set it to json, pretty or auto, or unset it"):
        log_mode()
