"""Checkpoints of a training: judged each by its own weights, drawn by step, and never among the model's own figures."""

import re
import shutil
from pathlib import Path

import pytest

from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.evaluate import evaluate, plan_evaluation
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import metrics_table, probe_error_by_quantity, success_by_world_and_model
from pipelines.reports.page import ReportConfig, report
from pipelines.store.inventory import inventory
from pipelines.store.models.checkpoint_model import checkpoint_reference
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelHandle, resolve_model
from pipelines.store.reports import read_table
from tests.pipelines.evaluate.asked import config

KINDS: dict[str, object] = {"kinds": ["planning", "probing"], "model": "kept"}


@pytest.fixture(scope="module")
def kept_folder(judged_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model `kept` whose training kept a checkpoint every 10 steps of 30; it and all were judged."""
    folder = tmp_path_factory.mktemp("kept") / "store"
    shutil.copytree(judged_folder, folder)
    store = open_store(str(folder))
    fields = {"dataset": "d0", "name": "kept", "recipe": "smoke", "steps": 30, "executor": "local", "keep_every": 10}
    pretrain(PretrainConfig.model_validate(fields), store)
    evaluate(config(**KINDS), store)
    shutil.copytree(folder, folder.with_name("before"))
    evaluate(config(**KINDS, checkpoints=["all"]), store)
    return folder


@pytest.fixture(scope="module")
def kept(kept_folder: Path) -> Store:
    """That store, only to be read."""
    return open_store(str(kept_folder))


def test_a_training_keeps_what_it_is_asked_to_keep(kept: Store) -> None:
    assert Checkpoints(ModelHandle(kept, "kept")).steps() == [10, 20, 30]
    assert Checkpoints(ModelHandle(kept, "m0")).steps() == [20], "the last one alone, by default"


def test_the_last_checkpoint_is_the_model_by_its_content(kept: Store) -> None:
    assert checkpoint_reference(kept, "kept", 30) == resolve_model(kept, "kept")
    assert len({checkpoint_reference(kept, "kept", step).digest for step in (10, 20, 30)}) == 3


def test_each_row_names_step_and_weights(kept: Store) -> None:
    for table in ("metrics", "episodes"):
        rows = read_table(kept, table, run="kept", checkpoints=True).compute()
        steps = rows[rows.training_step.notna()]
        found = set(zip(steps.training_step.astype(int), steps.model_digest, strict=True))
        assert found == {(step, checkpoint_reference(kept, "kept", step).digest) for step in (10, 20)}
        assert set(steps.model) == {"kept"}
    metrics = read_table(kept, "metrics", run="kept", checkpoints=True).compute()
    r2 = metrics[(metrics.metric == "r2") & (metrics.probe == "linear") & (metrics.split == "test")]
    by_step = r2.groupby(r2.training_step.fillna(30)).value.mean()
    assert len(set(by_step)) == 3, "each by its own weights"


def test_the_model_s_own_figures_are_as_if_no_checkpoint_had_been_judged(kept: Store, kept_folder: Path) -> None:
    before = open_store(str(kept_folder.with_name("before")))
    assert metrics_table(kept, "kept") == metrics_table(before, "kept")
    for query in (success_by_world_and_model, probe_error_by_quantity):
        assert query(kept).equals(query(before))
    for table in ("metrics", "episodes", "predictions"):
        mine, theirs = (len(read_table(store, table, run="kept")) for store in (kept, before))
        assert mine == theirs
    (entry,) = (entry for entry in inventory(kept).runs if entry.run == "kept")
    assert entry.models == (str(resolve_model(kept, "kept")),)


def test_the_page_draws_them_beside_the_loss_where_there_are_any(
    kept: Store, kept_folder: Path, tmp_path: Path
) -> None:
    pages = {}
    for name, folder in (("with", kept_folder), ("without", kept_folder.with_name("before"))):
        store = open_store(str(shutil.copytree(folder, tmp_path / name)))
        pages[name] = store.read(report(ReportConfig(run="kept"), store, Progress()).path).decode()
    drawn = "Figures of checkpoints by training step: success, r2, prediction_r2"
    assert drawn in pages["with"] and "Figures of checkpoints" not in pages["without"]
    tiles = [re.findall(r'<div class="tile.*?</div>', page, re.DOTALL) for page in pages.values()]
    assert tiles[0] == tiles[1]


def test_some_are_chosen_by_their_steps_and_done_once(kept: Store, tmp_path: Path) -> None:
    store = open_store(str(shutil.copytree(kept.uri, tmp_path / "store")))
    evaluated = evaluate(config(**KINDS, checkpoints=["20"]), store)
    assert evaluated.earlier == evaluated.units
    assert {unit.training_step for unit in evaluated.plan.units} == {None, 20}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"checkpoints": ["15"]}, "model 'kept' has no checkpoint of step 15; it has those of steps 10, 20, 30"),
        ({"checkpoints": ["all"], "model": "none"}, "model 'none' is not in store"),
    ],
)
def test_what_is_not_there_is_said(kept: Store, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        plan_evaluation(config(**(KINDS | changes)), kept)


def test_a_damaged_one_is_named_with_those_that_are_whole(kept_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(kept_folder, tmp_path / "store")
    mine = open_store(str(tmp_path / "store"))
    (state,) = (path for path in mine.list("models/kept/checkpoints/") if "0010/state" in path)
    mine.write(state, b"rubbish")
    with pytest.raises(InputError, match=r"checkpoint of step 10 of model 'kept' .* `--checkpoints 20 30`"):
        evaluate(config(**KINDS, checkpoints=["all"]), mine)
    assert evaluate(config(**KINDS, checkpoints=["20"]), mine).units
