"""`jepa import-lewm`: weights of the installed package become a model that is judged like any other, and go back."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from flows.cli.main import main
from infra.storage import open_store
from pipelines.pretrain import read_model
from pipelines.store import Dataset
from tests.jepa.models.test_files import Boom
from tests.jepa.models.test_import_lewm import theirs

SIZE, HEAD = 28, 16
COLLECT = f"collect --name d0 --episodes 30 --steps 30 --image-size {SIZE} --executor local --actors 1".split()
TINY = ["--protocol", "tiny-v1", "--kinds", "probing", "latent", "--executor", "local", "--workers", "1"]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds dataset `d0`, and the package's random weights in both formats."""
    folder = tmp_path_factory.mktemp("released")
    assert main([*COLLECT, "--store", str(folder / "store")]) == 0
    torch.manual_seed(5)
    weights = theirs(SIZE, 7, 32, HEAD, (1, 1), (2, 3)).state_dict()
    torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in weights.items()}}, folder / "released.pt")
    save_file(weights, folder / "released.safetensors")
    return folder


def run(folder: Path, file: str, *arguments: str, name: str = "m0", json_answer: bool = False) -> int:
    flags = ["--name", name, "--head-size", str(HEAD), "--store", str(folder / "store")]
    return main(["import-lewm", str(folder / file), *flags, *arguments, *["--json"] * json_answer])


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str, **options: Any) -> str:
    """Returns the sentence of a refusal that wrote nothing."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run(folder, *arguments, **options) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("jepa: ") and err.count("\n") == 1 and "Traceback" not in err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    return err


def test_released_weights_are_imported_judged_and_exported_unchanged(
    released: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = str(released / "store"), open_store(str(released / "store"))
    capsys.readouterr()
    assert run(released, "released.pt", "--dataset", "d0", json_answer=True) == 0
    answer = json.loads(capsys.readouterr().out)
    manifest, model = read_model(store, "m0")
    assert answer["parameters"] == manifest.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert manifest.recipe.model == model.config and manifest.world == "two_room"
    moments = Dataset(store, "d0").statistics["action"]
    assert torch.allclose(model.action_mean, torch.tensor(moments.mean))
    assert torch.allclose(model.action_std, torch.tensor(moments.std))
    card = store.read("models/m0/card.md").decode()
    assert "`released.pt`" in card and manifest.request["imported"]["sha256"] in card and "is not known" in card

    assert main(["evaluate", "--model", "m0", *TINY, "--store", folder]) == 0
    assert "`jepa report --run m0`" in capsys.readouterr().out
    assert main(["report", "--run", "m0", "--store", folder]) == 0
    assert "is not known" in store.read("reports/m0/report.html").decode()

    expected = load_file(released / "released.safetensors")
    small = ["inverse.width=8", "inverse.depth=1", "inverse.steps=2", "inverse.batch_size=8"]
    assert main(["fit-heads", "--model", "m0", "--options", *small, "--executor", "local", "--store", folder]) == 0
    capsys.readouterr()
    for file in ("back.pt", "back.safetensors"):
        assert run(released, file, "--export") == 0
        said = capsys.readouterr().out
        assert "nor are its heads inverse-" in said and "which stay in the store" in said
        path = released / file
        back = torch.load(path, weights_only=True) if path.suffix == ".pt" else load_file(path)
        assert back.keys() == expected.keys()
        assert all(torch.equal(back[name], tensor) for name, tensor in expected.items())
        assert f"{path!s}' exists" in refused(capsys, released, file, "--export")


def test_twice_is_once_and_another_model_keeps_its_name(released: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statistics = ["--action-mean", "-0.5", "0.25", "--action-std", "2", "1"]
    given = ["--dataset", "d0", *statistics]
    assert run(released, "released.pt", *given, name="m1") == 0
    before = {path: path.stat().st_mtime_ns for path in (released / "store").rglob("*")}
    assert run(released, "released.pt", *given, name="m1") == 0
    assert {path: path.stat().st_mtime_ns for path in (released / "store").rglob("*")} == before
    model = read_model(open_store(str(released / "store")), "m1")[1]
    assert model.action_mean.tolist() == [-0.5, 0.25] and model.action_std.tolist() == [2.0, 1.0]
    assert "is another one, imported from" in refused(capsys, released, "released.pt", "--dataset", "d0", name="m1")
    assert "'m1' in" in refused(capsys, released, "released.safetensors", *given, name="m1")
    checkpoint = released / "store/models/m2/checkpoints/step-000020.safetensors"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"half a training")
    assert "has not ended" in refused(capsys, released, "released.pt", *given, name="m2")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.pt", "--dataset", "d0"], "nowhere.pt' does not exist"),
        ([".", "--dataset", "d0"], "cannot be read: it is a folder"),
        (["words.pt", "--dataset", "d0"], "not released weights that can be read safely"),
        (["cut.pt", "--dataset", "d0"], "not released weights that can be read safely"),
        (["code.pt", "--dataset", "d0"], "not released weights that can be read safely"),
        (["pickle.pt", "--dataset", "d0"], "not released weights that can be read safely"),
        (["other.safetensors", "--dataset", "d0"], "not in the released LeWM layout"),
        (["nan.safetensors", "--dataset", "d0"], "tensor 'predictor.pos_embedding' that are not finite"),
        (["released.pt"], "dataset is missing; give --dataset"),
        (["released.pt", "--dataset", "d9"], "dataset 'd9' is not in store"),
        (["released.pt", "--dataset", "small"], "28×28 frames and dataset 'small' has 16×16"),
        (["released.pt", "--dataset", "d0", "--frameskip", "2"], "5 values an action at frameskip 2"),
        (["released.pt", "--dataset", "d0", "--frameskip", "3"], "not a multiple of frameskip 3"),
        (["released.pt", "--dataset", "d0", "--head-size", "64"], "no heads of head_size 64"),
        (["released.pt", "--dataset", "d0", "--action-mean", "1", "2"], "action_mean has 2 values and action_std 0"),
        (
            ["released.pt", "--dataset", "d0", "--action-mean", "1", "--action-std", "1"],
            "action_mean has 1 values and an action of world 'two_room' 2",
        ),
        (["released.pt", "--dataset", "d0", "--action-mean", "1", "2", "--action-std", "1", "0"], "greater than 0"),
        (["back.zip", "--export"], "says no format"),
        (["nowhere/back.pt", "--export"], "its folder does not exist"),
        (["new.pt", "--export"], "model 'm7' is not in store"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    released: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    if not (released / "nan.safetensors").exists():
        weights = load_file(released / "released.safetensors")
        save_file({"teacher": torch.ones(2)}, released / "other.safetensors")
        nan = torch.full_like(weights["predictor.pos_embedding"], torch.nan)
        save_file(weights | {"predictor.pos_embedding": nan}, released / "nan.safetensors")
        (released / "words.pt").write_text("These are no weights.")
        (released / "cut.pt").write_bytes((released / "released.pt").read_bytes()[:5000])
        torch.save(Boom(), released / "code.pt")
        (released / "pickle.pt").write_bytes(pickle.dumps(Boom()))
        small = ["16" if word == str(SIZE) else "small" if word == "d0" else word for word in COLLECT]
        assert main([*small, "--store", str(released / "store")]) == 0
    assert sentence in refused(capsys, released, *arguments, name="m7")
