"""`jepa verify`: damage is found, named and repaired."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from tests.flows.cli.commands.small import COLLECT, LOCAL


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


def test_damage_is_named_and_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path)]
    assert main([*COLLECT, *store]) == 0
    shard = next((tmp_path / "datasets/d0/shards/train").glob("*.mds"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100])
    assert main(["verify", "d0", *store]) == 1
    assert "damaged: shards/train/shard-000000.mds episode" in capsys.readouterr().out
    assert main(["verify", "d0", "--repair", *LOCAL, *store]) == 0
    assert "every byte is as it was collected" in capsys.readouterr().out and shard.read_bytes() == whole
