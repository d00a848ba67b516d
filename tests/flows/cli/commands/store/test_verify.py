"""`jepa verify`: damage is found, named and repaired."""

import json
import shutil
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from pipelines.pretrain import pretrain
from tests.flows.cli.commands.small import COLLECT, LOCAL
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import small_training


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


def test_the_whole_store_is_verified_and_repaired(
    tmp_path: Path, small_model_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small_model_store, tmp_path / "store")
    store = ["--store", str(tmp_path / "store")]
    assert main(["verify", *store, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["dataset"] for one in answer["datasets"]] == ["d0"]
    assert [one["model"] for one in answer["models"]] == ["m0"]
    assert answer["reports"]["units"] == 1 and answer["ok"]
    files = [tmp_path / "store/datasets/d0/manifest.json", tmp_path / "store/models/m0/config.json"]
    whole = [file.read_bytes() for file in files]
    for file in files:
        file.write_bytes(file.read_bytes().replace(b"two_room", b"two_rooN"))
    assert main(["verify", *store]) == 1
    said = capsys.readouterr().out
    assert "damaged: datasets/d0/manifest.json" in said and "damaged: models/m0/config.json" in said
    assert main(["verify", "m0", *store]) == 1 and "model m0:" in capsys.readouterr().out
    assert main(["verify", "--repair", *LOCAL, *store]) == 0
    assert [file.read_bytes() for file in files] == whole
    part = next((tmp_path / "store/reports/kind=training").glob("*.parquet"))
    part.unlink()
    assert main(["verify", *store]) == 1
    said = capsys.readouterr().out
    assert f"missing: reports/kind=training/{part.name} of unit" in said and "reports: 1 units" in said


@pytest.fixture(scope="module")
def small_model_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with dataset `d0` and model `m0` that was trained on it."""
    folder = tmp_path_factory.mktemp("trained") / "store"
    small_dataset(open_store(str(folder)), name="d0", steps=40, episodes=20)
    pretrain(small_training(steps=2), open_store(str(folder)))
    return folder
