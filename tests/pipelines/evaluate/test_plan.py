"""The plan: names are resolved once, and what cannot be judged is said before any work."""

import re

import pytest

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import plan_evaluation
from pipelines.store import resolve_dataset
from pipelines.store.models.manifest import resolve_model
from tests.pipelines.evaluate.asked import config
from tests.pipelines.small_dataset import small_dataset


def test_all_units_carry_what_the_names_were_resolved_to(judged: Store) -> None:
    plan = plan_evaluation(config(run="mine"), judged)
    assert plan.model == resolve_model(judged, "m0") and plan.dataset == resolve_dataset(judged, "d0")
    assert {(unit.model, unit.dataset, unit.run) for unit in plan.units} == {(plan.model, plan.dataset, "mine")}
    assert [unit.kind for unit in plan.units][:4] == ["planning"] * 4 and len(plan.units) == 4 + 1 + 2 + 2
    assert repr(plan) == f"<plan to evaluate {plan.model} on d0@1: 9 units under tiny-v1>"


def test_a_model_may_be_named_by_its_digest(judged: Store) -> None:
    digest = resolve_model(judged, "m0").digest
    assert plan_evaluation(config(model=f"m0@{digest[:8]}"), judged).units == plan_evaluation(config(), judged).units
    with pytest.raises(InputError, match=rf"no weights 'm0@0000'; choose one of: m0@{digest[:8]}"):
        plan_evaluation(config(model="m0@0000"), judged)


def test_the_newest_version_is_judged_unless_another_is_named(mine: Store) -> None:
    before = plan_evaluation(config(), mine)
    assert before.trained_on == before.dataset
    small_dataset(mine, name="d0", steps=40, episodes=50)
    newest, first = plan_evaluation(config(), mine), plan_evaluation(config(dataset="d0@1"), mine)
    assert (newest.dataset.version, newest.trained_on) == (2, before.dataset)
    assert {unit.key for unit in newest.units}.isdisjoint(unit.key for unit in before.units)
    assert first.units == before.units
    with pytest.raises(InputError, match="dataset 'd0' has no version 3; choose one from 1 to 2"):
        plan_evaluation(config(dataset="d0@3"), mine)


def test_another_dataset_is_judged_and_the_one_of_the_training_is_known(mine: Store) -> None:
    small_dataset(mine, name="d1", steps=40)
    plan = plan_evaluation(config(dataset="d1"), mine)
    assert str(plan.dataset) == "d1@1" and str(plan.trained_on) == "d0@1"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "m9"}, "model 'm9' is not in store .*choose one of: m0"),
        ({"dataset": "d9"}, "dataset 'd9' is not in store"),
        ({"dataset": "large"}, "was trained on two_room at 32 pixels and dataset 'large' holds two_room at 16"),
    ],
)
def test_what_cannot_be_judged_is_said_before_any_work(mine: Store, changes: dict[str, object], sentence: str) -> None:
    collect(CollectConfig(name="large", episodes=20, steps=10, image_size=16, executor="local", actors=1), mine)
    before = mine.list("reports/")
    with pytest.raises(InputError, match=sentence):
        plan_evaluation(config(**changes), mine)
    assert mine.list("reports/") == before


def test_planning_writes_nothing(mine: Store) -> None:
    before = mine.list()
    plan_evaluation(config(seed=5), mine)
    assert mine.list() == before and not [path for path in before if re.search("seed", path)]
