"""The evaluation job: rows for every unit, once, from held-out episodes, the same in any order."""

import shutil
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, evaluate, evaluate_unit, plan_units
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset
from pipelines.store.reports.tables import read_table


@pytest.fixture(scope="module")
def judged(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a small model that was evaluated once."""
    folder = tmp_path_factory.mktemp("judged") / "store"
    shutil.copytree(small_store, folder)
    store = open_store(str(folder))
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=20, executor="local", workers=1), store)
    evaluate(config(), store)
    return store


def config(**changes: object) -> EvaluateConfig:
    values: dict[str, object] = {"model": "m0", "protocol": "tiny-v1", "executor": "local", "workers": 1}
    return EvaluateConfig.model_validate(values | changes)


def test_every_kind_leaves_its_rows(judged: Store) -> None:
    metrics = read_table(judged, "metrics").compute()
    assert set(metrics.evaluation) == {"probing", "planning", "surprise", "latent", "training"}
    assert set(metrics[metrics.evaluation != "training"].split) == {"test", "unseen"}
    planning = metrics[metrics.metric == "success_rate"]
    assert set(planning.planner) == {"cem", "oracle", "random"}
    assert planning.value.between(0, 1).all() and (planning.ci_low <= planning.value).all()
    assert set(metrics.model) == {"m0"} and set(metrics.dataset) == {"d0"} and set(metrics.world) == {"two_room"}


def test_a_second_time_nothing_is_done(judged: Store) -> None:
    before = {path: judged.read(path) for path in judged.list("reports/")}
    evaluate(config(), judged)
    assert {path: judged.read(path) for path in judged.list("reports/")} == before


def test_a_unit_gives_the_same_figures_again(judged: Store) -> None:
    figures = ["metric", "split", "planner", "probe", "quantity", "goal", "shift", "value", "ci_low", "ci_high"]
    evaluate(config(run="again", workers=2), judged)
    metrics = read_table(judged, "metrics", columns=["run", "evaluation", *figures]).compute()
    # Wall times differ, and training has no second run.
    metrics = metrics[(metrics.metric != "plan_seconds") & (metrics.evaluation != "training")]
    first, second = (
        metrics[metrics.run == run][figures].sort_values(figures).reset_index(drop=True) for run in ("m0", "again")
    )
    assert first.equals(second)


def test_no_evaluation_reads_what_it_must_not(judged: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only probes may look at training frames, to be fitted; plans and surprises come from held-out episodes alone."""
    seen: dict[str, set[str]] = {}
    kind = "planning of the units"
    real = Dataset.episodes

    def watched(self: Dataset, split: str, limit: int | None = None) -> "list[Episode]":
        seen.setdefault(kind, set()).add(split)
        return real(self, split, limit)  # type: ignore[return-value]

    monkeypatch.setattr(Dataset, "episodes", watched)
    for unit in plan_units(config(run="watched"), judged):
        kind = unit.kind
        evaluate_unit(unit)
    assert seen["surprise"] == {"test", "unseen"}
    assert seen["latent"] <= {"test", "unseen"}
    episodes = read_table(judged, "episodes", columns=["episode", "split", "dataset"]).compute()
    rows = {row["episode"]: row["split"] for row in Dataset(judged, "d0").episode_rows.to_pylist()}
    assert all(rows[episode] == split for episode, split in zip(episodes.episode, episodes.split, strict=True))
    assert set(episodes.split) == {"test", "unseen"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "m9"}, "model 'm9' is not in store .*choose one of: m0"),
        ({"dataset": "d9"}, "dataset 'd9' is not in store"),
        ({"dataset": "large"}, "was trained on two_room at 32 pixels and dataset 'large' holds two_room at 16"),
    ],
)
def test_what_cannot_be_judged_is_said_before_any_work(
    judged: Store, changes: dict[str, object], sentence: str
) -> None:
    collect(CollectConfig(name="large", episodes=20, steps=10, image_size=16, executor="local", actors=1), judged)
    with pytest.raises(InputError, match=sentence):
        evaluate(config(**changes), judged)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (
            "kinds",
            ["luck"],
            "'luck' is not known; choose one of: decoding, latent, planning, probing, surprise",
        ),
        ("kinds", [], "name at least one of"),
        ("protocol", "v0", "protocol 'v0' is not known"),
        ("workers", 0, "greater than 0"),
        ("run", "a b", "pattern"),
    ],
)
def test_wrong_fields_are_named(field: str, value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config(**{field: value})
