"""Whatever happens to a file of a model: readers get the same, or a sentence that names the file; repair is exact."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from infra.errors import InfraError
from infra.processes.identity import this_process
from infra.storage import Store, open_store
from jepa.core.config import to_json
from jepa.core.errors import InputError
from jepa.models.files import load_model, save_model
from jepa.models.world_model import WorldModel
from jepa.training.state import TrainingState
from pipelines.store.models.card import model_card
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.claim import Claim, newest_claim
from pipelines.store.models.commit import commit_model, weights_of
from pipelines.store.models.curve import Curve, read_curve, write_curve
from pipelines.store.models.manifest import ModelHandle, ModelManifest, Segment, read_model
from pipelines.store.models.origin import Origin
from pipelines.store.models.verify import restore_model, verify_model
from pipelines.store.references import DatasetRef
from pipelines.store.sealed import seal
from tests.pipelines.damage import HARMS, damage
from tests.pipelines.store.test_model_handle import RECIPE

ROOT = "models/m0/"
LOST = ("weights/", "claims/", "checkpoints/", "metrics.parquet")
"""Nothing else in a store says what these held."""


def train(store: Store, seed: int, before: ModelManifest | None) -> ModelManifest:
    """Leaves all that a training leaves, without its hours."""
    model, weights = ModelHandle(store, "m0"), weights_of(WorldModel.from_config(RECIPE.model, seed))
    curve = Curve(seconds=1.5, id="0" * 16)
    for step in range(1, 5):
        curve.add(step, {"loss": 1 / step, "rank": float(step)})
    write_curve(model, curve)
    manifest = ModelManifest(
        name="m0",
        weights_sha256=weights[1],
        parameters=weights[2],
        recipe=RECIPE,
        request={"seed": seed},
        dataset="d0",
        dataset_digest="0" * 12,
        world="two_room",
        world_options={},
        run="m0",
        code_version="0",
        seconds=1.5,
        continued_from=before.reference if before else None,
        segments=(Segment(start=0, end=4, steps=4),),
    )
    return commit_model(model, manifest, weights[0], model_card(manifest, curve))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained twice."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    store = open_store(str(folder))
    origin = Origin(request={}, dataset_ref=DatasetRef(name="d0", version=1, digest="0" * 64))
    now = datetime.now(UTC)
    claim = Claim(number=1, owner=None, process=this_process(), since=now, heartbeat=now, origin=origin)
    store.write(f"{ROOT}claims/000001.json", seal(to_json(claim)))
    train(store, 2, train(store, 1, None))
    for step in (2, 4):
        state = TrainingState({"w": torch.full((8,), float(step))}, {"completed_steps": step})
        Checkpoints(ModelHandle(store, "m0")).save(Checkpoint(step, state, {"epoch": 1, "batch": step}, origin))
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Store:
    """The model, to be damaged."""
    shutil.copytree(whole, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def answer(store: Store) -> list[object]:
    """Returns all that readers get, but of a checkpoint that is damaged: the one before it serves."""
    model = ModelHandle(store, "m0")
    parts: list[object] = [model.card(), newest_claim(model), read_curve(model, 4)]
    newest = model.require()
    for digest in model.digests(newest):
        manifest, network = read_model(store, f"m0@{digest[:16]}")
        parts += [to_json(manifest), save_model(network)]
    checkpoints = Checkpoints(model)
    latest = checkpoints.latest_step()
    assert latest is not None and checkpoints.load(latest).state.meta == {"completed_steps": latest}
    return parts


def files(store: Store) -> dict[str, bytes]:
    return {path.removeprefix(ROOT): store.read(path) for path in store.list(ROOT)}


def test_every_file_is_verified_and_whole(copied: Store) -> None:
    report = verify_model(ModelHandle(copied, "m0"))
    assert report.ok and report.unknown == () and len(files(copied)) == 14
    for path, data in files(copied).items():
        copied.write(ROOT + path, data[:-1] + bytes([data[-1] ^ 1]))
        assert path in {problem.path for problem in verify_model(ModelHandle(copied, "m0")).problems}
        copied.write(ROOT + path, data)


def test_readers_get_the_same_or_the_file_is_named_and_repair_is_exact(copied: Store) -> None:
    before, right = files(copied), answer(copied)
    model = ModelHandle(copied, "m0")
    for path in before:
        for seed in range(len(HARMS)):
            harm = damage(copied, ROOT + path, seed)
            try:
                after = answer(copied)
                # That the training's figures or its claim are gone looks like a training that left none.
                assert after == right or (harm == "remove" and path in ("metrics.parquet", "claims/000001.json"))
            except (InfraError, InputError) as error:
                assert path in str(error) and "\n" not in str(error), (path, harm, seed, error)
                after = []
            found = {problem.path for problem in verify_model(model).problems}
            # Some bytes of a Parquet file say nothing of what it holds, and checkpoints and claims come and go.
            harmless = path == "metrics.parquet" and harm != "remove" and after == right
            gone = harm == "remove" and path.startswith(("claims", "checkpoints"))
            assert path in found or harmless or gone, (path, harm, seed, found)
            restore_model(model)
            if not path.startswith(LOST) and not _is_older_record(copied, path):
                assert files(copied) == before, (path, harm, seed)
            assert {problem.path for problem in verify_model(model).problems} <= {path}
            copied.write(ROOT + path, before[path])
    assert answer(copied) == right


def _is_older_record(store: Store, path: str) -> bool:
    """Returns whether a record holds the digest of a card that was replaced since: nothing else knows it."""
    return path.startswith("digests/") and ModelHandle(store, "m0").require().digest not in path


def test_one_changed_word_of_a_configuration_is_found(copied: Store) -> None:
    path = f"{ROOT}config.json"
    data = copied.read(path)
    copied.write(path, data.replace(b'"two_room"', b'"two_rooM"'))
    with pytest.raises(InfraError, match=r"m0/config\.json is damaged"):
        read_model(copied, "m0")
    restore_model(ModelHandle(copied, "m0"))
    assert copied.read(path) == data


def test_a_lost_configuration_is_named_and_restored(copied: Store) -> None:
    data = copied.read(f"{ROOT}config.json")
    copied.delete(f"{ROOT}config.json")
    with pytest.raises(InfraError, match=r"config\.json is lost, .* `jepa verify m0 --repair` restores it"):
        read_model(copied, "m0")
    restore_model(ModelHandle(copied, "m0"))
    assert copied.read(f"{ROOT}config.json") == data


def test_weights_of_another_type_are_refused() -> None:
    weights, config = save_model(WorldModel.from_config(RECIPE.model, 0))
    tensors = load(weights)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int32):
        with pytest.raises(InputError, match=r"holds tensor '.*' as torch\.\w+ and not as torch\.\w+"):
            load_model(save(tensors | {name: tensors[name].to(kind)}), config)
    double = {name: t.double() if t.is_floating_point() else t for name, t in tensors.items()}
    assert torch.equal(
        next(load_model(save(double), config).parameters()), next(load_model(weights, config).parameters())
    )


def test_a_model_of_earlier_code_is_read_and_what_cannot_be_known_is_said(early_store: Store) -> None:
    report = verify_model(ModelHandle(early_store, "golden"))
    assert report.ok and any("written by earlier code" in sentence for sentence in report.unknown)
    before = {path: early_store.read(path) for path in early_store.list("models/")}
    restore_model(ModelHandle(early_store, "golden"))
    assert before == {path: early_store.read(path) for path in early_store.list("models/")}
    assert verify_model(ModelHandle(early_store, "half")).ok
