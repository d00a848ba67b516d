"""The command line where all goes well."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.commands import SUMMARIES
from flows.cli.main import main

COLLECT = ["collect", "--episodes", "20", "--steps", "6", "--image-size", "16", "--executor", "local", "--actors", "1"]


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


def test_worlds_for_programs_and_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worlds", "--json"]) == 0
    worlds = {world["name"]: world for world in json.loads(capsys.readouterr().out)["worlds"]}
    assert {"two_room", "pusht"} <= set(worlds) and worlds["two_room"]["goal_kinds"] == ["uniform", "cross_room"]
    assert worlds["pusht"]["scored_quantities"]["moved_block"] == ["agent_position", "block_position", "block_angle"]
    assert (worlds["two_room"]["preset"], worlds["two_room"]["protocol"]) == ("demo", "two-room-v1")
    assert (worlds["cube"]["preset"], worlds["cube"]["protocol"]) == ("smoke", "lewm-v3")
    assert main(["worlds"]) == 0
    shown = capsys.readouterr().out
    assert "two_room: 64×64 pixels, 2 actions" in shown
    assert "cross_room (in different rooms and over 0.2 scene widths apart; scored by agent_position)" in shown
    assert "uniform (any start and goal; scored by agent_position, block_position and block_angle)" in shown
    assert "by default     preset tiny, judged under pusht-tiny-v1" in shown


def test_collect_then_verify_then_find_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path)]
    assert main([*COLLECT, "--name", "d0", *store, "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["dataset"] == "d0" and answer["frames"] == 20 * 7 and "20/20 episodes (100 %)" in captured.err
    assert main(["verify", "d0", *store]) == 0
    assert "every byte is as it was collected" in capsys.readouterr().out
    shard = next((tmp_path / "datasets/d0/shards").rglob("*.mds"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    assert main(["verify", "d0", *store, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["ok"] and report["problems"][0]["kind"] == "damaged"


def test_collecting_again_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert main([*COLLECT, "--store", str(tmp_path)]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    capsys.readouterr()
    assert main([*COLLECT, "--store", str(tmp_path), "--seed", "1"]) == 2
    assert "seed" in capsys.readouterr().err


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


def test_an_interrupt_is_told_as_such(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
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
    from pipelines.pretrain.preemption import Preempted

    def preempt(*_: object) -> int:
        raise Preempted(7, saved)

    monkeypatch.setattr(worlds, "execute", preempt)
    assert main(["worlds"]) == 130
    said = f"jepa: interrupted at step 7, whose state {kept}; the same command goes on\n"
    assert capsys.readouterr().err == said
