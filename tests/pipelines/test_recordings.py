"""A recording is trained on and judged by what is in it, whatever world it shows, or none."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.collect import ImportConfig, import_hdf5, import_notices
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import pretrain
from pipelines.store.reports import read_table
from tests.pipelines.collect.files import episodes_file
from tests.pipelines.small_model import small_training

LENGTHS = (20,) * 20
ROWS = sum(LENGTHS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def imported(path: str, store: Store, **changes: Any) -> Any:
    fields = {"file": path, "name": "d0", "executor": "local", "actors": 1, "test_share": 0.2}
    return import_hdf5(ImportConfig.model_validate(fields | changes), store)


def judged(store: Store, **changes: Any) -> set[tuple[str, str]]:
    """Returns the (evaluation, metric) pairs of an evaluation."""
    fields = {"model": "m0", "executor": "local", "protocol": "tiny-v1"}
    done = evaluate(EvaluateConfig.model_validate(fields | changes), store)
    rows = read_table(store, "metrics", units=done.units).compute()
    return set(zip(rows["evaluation"], rows["metric"], strict=True))


@pytest.mark.parametrize("action_size", [1, 3])
def test_a_file_of_no_world_is_trained_on_and_judged_without_a_simulator(
    action_size: int, tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    state = np.random.default_rng(0).normal(size=(ROWS, 3))
    imported(episodes_file(tmp_path / "a.h5", LENGTHS, action_size, state=state), store)
    assert pretrain(small_training(), store).recipe.model.action_size == action_size
    with caplog.at_level(logging.WARNING):
        found = judged(store)
    assert ("probing", "r2") in found and ("latent", "effective_rank") in found
    assert ("surprise", "surprise_recorded") in found and not any(kind == "planning" for kind, _ in found)
    assert "planning left out, for world 'imported' is not known" in caplog.text
    with pytest.raises(InputError, match="'planning' needs a simulator, and world 'imported' is not known"):
        judged(store, kinds=("planning",))


def test_a_file_of_pixels_and_actions_alone_is_trained_on_and_judged(tmp_path: Path, store: Store) -> None:
    assert imported(episodes_file(tmp_path / "a.h5", LENGTHS), store).quantities == {}
    pretrain(small_training(), store)
    assert {kind for kind, _ in judged(store)} == {"latent", "surprise"}
    assert {kind for kind, _ in judged(store, kinds=("decoding",))} == {"decoding"}
    with pytest.raises(InputError, match="holds no quantity to probe"):
        judged(store, kinds=("probing",))


def test_a_file_that_cannot_show_its_world_is_refused_before_anything_is_written(tmp_path: Path, store: Store) -> None:
    three = episodes_file(tmp_path / "a.h5", LENGTHS, action_size=3)
    with pytest.raises(InputError, match="has 3 values an action and world 'pusht' takes 2"):
        imported(three, store, world="pusht")
    wide = episodes_file(tmp_path / "b.h5", LENGTHS, agent_position=np.zeros((ROWS, 3)))
    with pytest.raises(InputError, match=r"'agent_position' of file .* has 3 values and world 'pusht' has 2"):
        imported(wide, store, world="pusht", columns=("agent_position",))
    assert not store.list("")


def test_what_a_world_needs_and_a_file_lacks_is_said_at_import_and_at_start(tmp_path: Path, store: Store) -> None:
    path = episodes_file(tmp_path / "a.h5", LENGTHS, velocity=np.zeros((ROWS, 2)))
    manifest = imported(path, store, world="two_room", columns=("agent_position=velocity",))
    (said,) = import_notices(manifest.plan, manifest.quantities)
    assert said.startswith("what world 'two_room' needs to be simulated from this recording is lacking: ")
    assert "agent_position" not in said.split(";")[0] and "--columns" in said
    pretrain(small_training(), store)
    with pytest.raises(InputError, match="'planning' needs a simulator, and what world 'two_room' needs"):
        judged(store, kinds=("planning",))
    assert ("surprise", "surprise_recorded") in judged(store, kinds=("surprise", "probing"))
