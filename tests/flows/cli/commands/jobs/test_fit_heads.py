"""`jepa fit-heads`: fits, lists, verifies, removes; a wrong input is a sentence."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from pipelines.pretrain import PretrainConfig, pretrain
from tests.pipelines.small_dataset import small_dataset

SMALL = ["--options.inverse", "{width: 8, depth: 1, steps: 5, batch_size: 16}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a dataset and a model."""
    folder = tmp_path_factory.mktemp("store")
    store = open_store(str(folder))
    small_dataset(store, name="d0", episodes=8)
    training = PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=1, executor="local", trackers=())
    pretrain(training, store)
    return folder


def test_a_head_is_listed_verified_and_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(folder)]
    command = ["fit-heads", "--model", "m0", *SMALL, "--executor", "local", *store]
    assert main([*command, "--json"]) == 0
    (head,) = json.loads(capsys.readouterr().out)["heads"]
    name = head["name"]
    assert name.startswith("inverse-") and not head["fitted_before"]
    assert main(command) == 0
    assert f"head {name}: loss" in (shown := capsys.readouterr().out) and "fitted before by code" in shown
    assert main(["ls", "heads", *store]) == 0
    assert name in (shown := capsys.readouterr().out) and "d0@1" in shown and "m0@" in shown
    assert main(["verify", "m0", *store]) == 0
    assert "not known" not in capsys.readouterr().out
    assert main(["gc", "--older-than", "0", *store]) == 0
    assert "nothing to delete" in capsys.readouterr().out

    own = folder / "models/m0/heads" / name
    weights = next((own / "weights").iterdir())
    whole = weights.read_bytes()
    for path in (weights, own / "card.md", own / "head.json"):
        kept = path.read_bytes()
        path.write_bytes(kept[:-9] + b"unknown.\n")
        assert main(["verify", "m0", *store]) == 1
        assert f"damaged: heads/{name}/{path.relative_to(own)}" in capsys.readouterr().out
        path.write_bytes(kept)
    weights.write_bytes(b"other")
    assert main([*command, "--force"]) == 0
    assert weights.read_bytes() == whole

    assert main(["rm", "d0", "--yes", *store]) == 2
    assert f"head {name!r} of model" in capsys.readouterr().err
    assert main(["rm", name, "--yes", *store]) == 0
    assert f"head {name!r} is removed: 3 files" in capsys.readouterr().out
    assert main(["verify", "m0", *store]) == 0 and not own.is_dir()


def test_what_a_cut_off_fit_left_is_garbage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = folder / "models/m0/heads/inverse-00000000/weights/ab.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"left")
    assert main(["gc", "--older-than", "0", "--yes", "--store", str(folder)]) == 0
    assert "no manifest: models/m0/heads/inverse-00000000" in capsys.readouterr().out and not left.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "nosuch"], "model 'nosuch' is not in store"),
        (["--model", "m0", "--heads", "nosuch"], "head 'nosuch' is not known; choose one of: "),
        (["--model", "m0", "--dataset", "d9"], "dataset 'd9' is not in store"),
        (["--model", "m0", "--options.inverse.wide", "8"], "options.inverse.wide: "),
        (["--model", "m0", "--options.temporals.width", "8"], "options.temporals is given"),
    ],
)
def test_a_wrong_input_is_a_sentence(
    arguments: list[str], sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit-heads", *arguments, "--executor", "local", "--store", str(folder)]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint and "Traceback" not in complaint
