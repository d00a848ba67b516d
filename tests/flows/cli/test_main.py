"""`jepa`: it finds the command, and ends with a status and, where something failed, with a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.commands import SUMMARIES
from flows.cli.main import main
from infra.errors import InfraError
from infra.storage import open_store
from jepa.core.config import Config
from pipelines.executor import JobLog
from pipelines.store.logs import LogFolder

HEAVY = {"dask", "numpy", "pandas", "prefect", "pyarrow", "ray", "torch"}
"""Packages that take so long to import that who asks for a command's name would notice."""


def test_the_overview_imports_nothing_heavy() -> None:
    script = "import sys; from flows.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.returncode == 0 and all(name in answer.stdout for name in SUMMARIES)
    assert not HEAVY & set(answer.stderr.split())


@pytest.mark.parametrize("command", list(SUMMARIES))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: jepa {command}" in shown and "example:" in shown and SUMMARIES[command] in shown
    assert all(option in shown for option in ("--store", "--config", "--json"))


def test_nothing_asked_is_answered_with_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2 and "commands:" in capsys.readouterr().out


def test_a_fault_of_the_program_is_one_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import flows.cli.commands.worlds as worlds

    def fail(*_: object) -> int:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(worlds, "execute", fail)
    assert main(["worlds"]) == 1
    assert capsys.readouterr().err == "jepa: ZeroDivisionError: by zero (JEPA_DEBUG=1 shows where)\n"
    monkeypatch.setenv("JEPA_DEBUG", "1")
    assert main(["worlds"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["flag", "variable", "file"])
def test_a_store_that_cannot_be_used_is_said_with_its_origin(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "status.yaml"
    config.write_text("store: ftp://host\n")
    if where == "variable":
        monkeypatch.setenv("JEPA_STORE", "ftp://host")
    given = {"flag": ["--store", "ftp://host"], "file": ["--config", str(config)]}.get(where, [])
    assert main(["status", *given]) == 2
    origin = {"flag": "flag --store", "variable": "variable JEPA_STORE", "file": f"{config}, line 1"}[where]
    assert capsys.readouterr().err.endswith(f"the store is 'ftp://host' (from {origin})\n")


def test_an_interrupt_is_reported_as_such(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import flows.cli.commands.worlds as worlds

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(worlds, "execute", interrupt)
    assert main(["worlds"]) == 130
    assert "goes on from what is done" in capsys.readouterr().err


@pytest.mark.parametrize(("saved", "kept"), [(True, "is kept"), (False, "could not be kept")])
def test_a_preempted_training_says_whether_its_state_is_kept(
    saved: bool, kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import flows.cli.commands.worlds as worlds
    from pipelines.pretrain.cluster.preemption import Preempted

    def preempt(*_: object) -> int:
        raise Preempted(7, saved)

    monkeypatch.setattr(worlds, "execute", preempt)
    assert main(["worlds"]) == 130
    said = f"jepa: interrupted at step 7, whose state {kept}; the same command goes on\n"
    assert capsys.readouterr().err == said


def test_the_sentence_of_a_failure_names_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import flows.cli.commands.worlds as worlds

    def fail(*_: object) -> int:
        with JobLog(LogFolder(open_store(str(tmp_path)), "collect", "d0"), Config()):
            raise InfraError("the node is gone")

    monkeypatch.setattr(worlds, "execute", fail)
    assert main(["worlds"]) == 2
    assert capsys.readouterr().err == f"jepa: the node is gone; log: {tmp_path}/logs/collect-d0/job.json\n"
