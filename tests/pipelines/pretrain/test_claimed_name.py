"""Two trainings of one name: one gets it; a failed one does not block it, and one that lost it writes nothing more."""

import shutil
import time
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.config import to_json
from jepa.core.errors import InputError
from jepa.training.trainer import TrainingFailure
from pipelines.pretrain import check_training, find_model, pretrain
from pipelines.store.models import claim as claim_module
from pipelines.store.models.claim import Claim, ClaimLostError, newest_claim
from pipelines.store.models.manifest import ModelHandle
from tests.pipelines.small_model import before_step, checkpoints_of, small_training, train_until


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    return open_store(str(shutil.copytree(small_store, tmp_path / "store")))


def claim_of(store: Store, name: str = "m0") -> Claim:
    claim = newest_claim(ModelHandle(store, name))
    assert claim is not None
    return claim


def test_a_second_training_of_the_name_is_refused_while_the_first_is_at_work(store: Store) -> None:
    refused: list[str] = []

    def another() -> None:
        for attempt in (pretrain, check_training):
            with pytest.raises(InputError) as error:
                attempt(small_training(seed=7), store)
            refused.append(str(error.value))

    with before_step(10, another):
        pretrain(small_training(), store)
    assert len(refused) == 2 and len(set(refused)) == 1
    assert "is being trained by process " in refused[0] and refused[0].endswith("or choose another name")
    assert claim_of(store).owner is None and claim_of(store).origin.request["seed"] == 0


def test_what_failed_can_be_corrected_under_the_same_name(store: Store) -> None:
    with pytest.raises(TrainingFailure):
        pretrain(small_training(learning_rate=1e30, train_options={"clip": 1e30}), store)
    assert claim_of(store).owner is None and not checkpoints_of(store, "m0").steps()
    manifest = pretrain(small_training(seed=1), store)
    assert manifest.request["seed"] == 1 and claim_of(store).number == 2


def test_a_training_that_has_a_checkpoint_keeps_its_name(store: Store) -> None:
    train_until(22, small_training(), store)
    with pytest.raises(InputError, match=r"model 'm0' in .* was trained with learning_rate None and not 0\.5; choose"):
        pretrain(small_training(learning_rate=0.5), store)


def test_a_wrong_input_claims_nothing(store: Store) -> None:
    with pytest.raises(InputError):
        pretrain(small_training(batch_size=100_000), store)
    assert not store.list("models/")


def test_who_lost_the_name_stops_and_writes_nothing_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_module, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr("pipelines.pretrain.cluster.preemption.LOOK_SECONDS", 0.02)
    held: list[str] = []

    def another() -> None:
        while 40 not in checkpoints_of(store, "m0").steps():  # it is written beside the training
            time.sleep(0.01)
        other = claim_of(store).model_copy(update={"number": 2, "owner": "other"})
        store.write("models/m0/claims/000002.json", to_json(other))
        held.extend(store.list("models/m0/"))

    with before_step(45, another), pytest.raises(ClaimLostError, match=r"model 'm0' in .* was taken over by process"):
        pretrain(small_training(steps=3000), store)
    assert find_model(store, "m0") is None and claim_of(store).owner == "other"
    assert [path for path in store.list("models/m0/") if path not in held] == []
    assert checkpoints_of(store, "m0").steps() == [20, 40]


def test_who_lost_the_name_unawares_commits_nothing(store: Store) -> None:
    """Its heartbeat has not come round yet when it has done its last step."""

    def another() -> None:
        store.write("models/m0/claims/000002.json", store.read("models/m0/claims/000001.json"))

    with before_step(25, another), pytest.raises(ClaimLostError):
        pretrain(small_training(), store)
    assert find_model(store, "m0") is None and not store.list("models/m0/weights/")
