"""Whatever a command prints on: what it did stays, its exit status is right, and nobody is shown a trace."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.store import DatasetHandle, verify
from tests.flows.jobs import command, environment

COLLECT = ["--episodes", "8", "--steps", "5", "--image-size", "16", "--actors", "1", "--executor", "local"]
COMMANDS = [
    pytest.param(["--help"], id="help"),
    pytest.param(["collect", "--help"], id="help of a command"),
    pytest.param(["worlds"], id="worlds"),
    pytest.param(["status"], id="status"),
    pytest.param(["collect", "--name", "d0", *COLLECT], id="collect", marks=pytest.mark.slow),
]
SHELL = 'exec "$@" {}'


@dataclass
class Ended:
    """What is left of a command."""

    status: int
    shown: str
    """on standard error, and on output where both are one"""


def redirected(arguments: list[str], home: Path, redirection: str, **variables: str) -> Ended:
    """Runs `jepa` as a shell does that redirects its streams."""
    done = subprocess.run(
        ["bash", "-c", SHELL.format(redirection), "bash", *command(*arguments)],
        cwd=home,
        env=environment(home, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=300,
    )
    return Ended(done.returncode, done.stderr.decode("latin-1"))


def check(arguments: list[str], home: Path, ended: Ended, status: int = 0) -> None:
    """Checks the status, that no trace was shown, and that a dataset that was to be collected is whole."""
    assert ended.status == status, ended.shown
    for word in ("Traceback", "Exception ignored", "Error:", "BrokenPipe"):
        assert word not in ended.shown
    if arguments[0] == "collect" and "--help" not in arguments:
        assert verify(DatasetHandle(open_store(str(home / "runs")), "d0")).ok


@contextmanager
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_closed_streams_and_a_full_log(arguments: list[str], redirection: str, tmp_path: Path) -> None:
    check(arguments, tmp_path, redirected(arguments, tmp_path, redirection))


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdout", "stderr")], ids=" and ".join)
def test_a_pipe_that_nobody_reads_any_more(arguments: list[str], streams: tuple[str, ...], tmp_path: Path) -> None:
    with unread() as pipe, (tmp_path / "shown").open("w") as shown:
        files = {"stdout": subprocess.DEVNULL, "stderr": shown} | dict.fromkeys(streams, pipe)
        done = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment(tmp_path),
            timeout=300,
            **files,  # type: ignore[call-overload]
        )
    check(arguments, tmp_path, Ended(done.returncode, (tmp_path / "shown").read_text()))


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_device_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    ended = redirected(arguments, tmp_path, ">/dev/full")
    check(arguments, tmp_path, ended, status=1)
    sentence = "jepa: the answer cannot be written to standard output (no space left on device); what was done stays: "
    assert ended.shown.splitlines()[-1].startswith(sentence)


LATIN = {"PYTHONIOENCODING": "latin-1"}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("variables", [LATIN, ASCII], ids=["latin-1", "ascii"])
def test_an_encoding_that_cannot_say_all(arguments: list[str], variables: dict[str, str], tmp_path: Path) -> None:
    check(arguments, tmp_path, redirected(arguments, tmp_path, "", **variables))


def test_what_an_encoding_cannot_say_is_escaped(tmp_path: Path) -> None:
    wrong = redirected(["collect", "--world", "\u03c9orld"], tmp_path, "", **LATIN)
    assert wrong.status == 2 and r"'\u03c9orld'" in wrong.shown and wrong.shown.count("\n") == 1


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_narrow_terminal(arguments: list[str], tmp_path: Path) -> None:
    ended = on_a_terminal(command(*arguments), tmp_path, columns=40)
    check(arguments, tmp_path, ended)
    assert ended.shown


def on_a_terminal(words: list[str], home: Path, columns: int) -> Ended:
    """Runs a command whose three streams are a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = environment(home, TERM="xterm")
    process = subprocess.Popen(
        words, cwd=home, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = bytearray()
    reader = threading.Thread(target=read_into, args=(shown, ours), daemon=True)
    reader.start()
    with closing(os.fdopen(ours, "rb", closefd=True)):
        status = process.wait(300)
        reader.join(30)
    return Ended(status, shown.decode(errors="replace"))


def read_into(shown: bytearray, descriptor: int) -> None:
    while True:
        try:
            piece = os.read(descriptor, 1 << 16)
        except OSError:  # the terminal's other side is closed
            return
        if not piece:
            return
        shown += piece


BESIDE = """
import os, sys
from flows.cli.terminal import prepare
prepare()
with open("data", "w") as data:
    print("a warning", file=sys.stderr, flush=True)
    os.write(2, b"and one of a library")
    data.write("whole")
    sys.exit(data.fileno() < 3)
"""


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    words = ["bash", "-c", SHELL.format("<&- 2>&- >&-"), "bash", sys.executable, "-c", BESIDE]
    assert subprocess.run(words, cwd=tmp_path, env=environment(tmp_path), timeout=60).returncode == 0
    assert (tmp_path / "data").read_text() == "whole"


def test_with_json_each_line_is_an_object(tmp_path: Path) -> None:
    """Progress, the events of job and units, and the sentence of a failure."""
    ended = redirected(["collect", "--name", "d0", *COLLECT], tmp_path, "", JEPA_LOG="json")
    check(["collect"], tmp_path, ended)
    lines = [json.loads(line) for line in ended.shown.splitlines()]
    (done,) = [line for line in lines if line["event"] == "collect d0: done"]
    assert (done["done"], done["total"], done["of"], done["dataset"]) == (8, 8, "episodes", "d0@1")
    (committed,) = [line for line in lines if line["event"] == "dataset committed"]
    assert len(committed["digest"]) == 64 and committed["run"] == done["run"] and committed["frames"] == 48
    assert {line["unit"] for line in lines if line["event"] == "unit done"} >= {"train/shard-000000"}

    refused = redirected(["report", "--run", "nosuch"], tmp_path, "", JEPA_LOG="json")
    (line,) = [json.loads(line) for line in refused.shown.splitlines()]
    assert refused.status == 2 and line["event"].startswith("jepa: run 'nosuch'") and line["level"] == "error"


def test_an_unknown_kind_of_log_is_refused(tmp_path: Path) -> None:
    refused = redirected(["worlds"], tmp_path, "", JEPA_LOG="xml")
    assert refused.status == 2
    assert refused.shown == "jepa: JEPA_LOG is 'xml'; set it to json, pretty or auto, or unset it\n"
