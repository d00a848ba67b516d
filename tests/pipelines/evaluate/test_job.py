"""The evaluation job: every unit once, under however many runs, again only where it is asked for."""

import pandas as pd
import pytest

from infra.storage import Store
from infra.version import code_version
from jepa.evaluation import EVALUATIONS, Protocol
from pipelines.evaluate import evaluate, job, plan_evaluation
from pipelines.evaluate import unit as unit_module
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import metrics_table, success_by_world_and_model
from pipelines.reports.page.data import read_run
from pipelines.store.reports import read_table, read_unit, run_plans
from tests.narrow import queried
from tests.pipelines.evaluate.asked import config
from tests.pipelines.small_dataset import small_dataset

LATENT = {"kinds": ["latent"]}
FIGURES = ["metric", "split", "planner", "probe", "quantity", "goal", "shift", "value", "ci_low", "ci_high"]


def figures(store: Store) -> pd.DataFrame:
    """Returns the figures of all evaluations that are no wall times."""
    metrics = read_table(store, "metrics").compute()
    metrics = metrics[(metrics.metric != "plan_seconds") & (metrics.evaluation != "training")]
    found: pd.DataFrame = metrics[FIGURES].sort_values(FIGURES).reset_index(drop=True)
    return found


def test_every_kind_leaves_its_rows(judged: Store) -> None:
    metrics = read_table(judged, "metrics").compute()
    assert set(metrics.evaluation) == {"probing", "planning", "surprise", "latent", "training"}
    assert set(metrics[metrics.evaluation != "training"].split) == {"test", "unseen"}
    planning = metrics[metrics.metric == "success_rate"]
    assert set(planning.planner) == {"cem", "oracle", "random"}
    assert planning.value.between(0, 1).all() and (planning.ci_low <= planning.value).all()
    assert set(metrics.model) == {"m0"} and set(metrics.dataset) == {"d0"} and set(metrics.world) == {"two_room"}


def test_a_second_time_nothing_is_done_and_that_is_said(judged: Store) -> None:
    before = {path: judged.read(path) for path in judged.list("reports/")}
    evaluated = evaluate(config(), judged)
    assert {path: judged.read(path) for path in judged.list("reports/")} == before
    assert evaluated.earlier == evaluated.units and len(evaluated.units) == 9
    assert "9 units, 9 of them done before>" in repr(evaluated)


def test_a_run_is_written_down_before_its_units_are_done(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "run_units", fail)
    with pytest.raises(KeyboardInterrupt):
        evaluate(config(run="cut-off", seed=3), mine)
    (plan,) = run_plans(mine, "cut-off")
    assert plan.units == tuple(unit.key for unit in plan_evaluation(config(seed=3), mine).units)
    assert plan.config["seed"] == 3 and plan.code_version == code_version()


def test_the_same_units_under_three_runs_are_one_sample(mine: Store) -> None:
    for run in ("again", "once-more"):
        evaluated = evaluate(config(run=run), mine)
        assert len(evaluated.earlier) == 9 and evaluated.run == run
    runs = [metrics_table(mine, run) for run in ("m0", "again", "once-more")]
    assert runs[0] == runs[1] == runs[2] and {figure.n for figure in runs[0] if figure.kind == "success"} == {4}
    rates = success_by_world_and_model(mine)
    assert set(rates.n) == {4} and len(rates) == 2 * 2 * 3
    files = f"{mine.uri}/reports/kind=metrics/*.parquet"
    sql = f"SELECT sum(n) AS n FROM '{files}' WHERE metric = 'success_rate' GROUP BY split, goal, planner"
    assert set(queried(sql).df().n) == {4}
    metrics = read_table(mine, "metrics")
    raw = metrics[metrics.metric == "success_rate"].groupby(["split", "goal", "planner"]).n.sum().compute()
    assert set(raw) == {4}


def test_evaluating_after_an_extension_judges_the_new_version_and_keeps_the_old(mine: Store) -> None:
    before = metrics_table(mine, "m0")
    small_dataset(mine, name="d0", steps=40, episodes=60)
    evaluated = evaluate(config(kinds=["probing", "latent"]), mine)
    assert str(evaluated.plan.dataset) == "d0@2" and str(evaluated.plan.trained_on) == "d0@1"
    assert evaluated.earlier == ()
    after = metrics_table(mine, "m0")
    assert [figure for figure in after if figure.dataset_version == 1] == before
    r2 = {figure.dataset_version: figure for figure in after if figure.kind == "r2" and figure.split == "test"}
    assert set(r2) == {1, 2} and r2[1].value != r2[2].value and r2[1].n < r2[2].n


def test_force_does_it_again_in_the_place_of_what_is_there(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before, files = figures(mine), mine.list("reports/kind=")
    monkeypatch.setattr(unit_module, "code_version", lambda: "of today")
    evaluated = evaluate(config(force=True), mine)
    assert evaluated.earlier == () and {unit.code_version for unit in evaluated.units} == {"of today"}
    # The same figures by other files, and as many.
    assert figures(mine).equals(before)
    after = mine.list("reports/kind=")
    assert len(after) == len(files) and len(set(after) & set(files)) == 2  # those of the training
    glob = queried(f"SELECT count(*) FROM '{mine.uri}/reports/kind=metrics/*.parquet'").fetchall()[0][0]
    assert glob == len(read_table(mine, "metrics"))


def test_what_is_missing_is_done_and_the_rest_is_not(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_module, "code_version", lambda: "of today")
    plan = plan_evaluation(config(), mine)
    mine.delete(f"reports/manifests/{plan.units[-1].key}.json")
    evaluated = evaluate(config(), mine)
    assert len(evaluated.earlier) == 8 and [unit.code_version for unit in evaluated.units].count("of today") == 1


@pytest.mark.parametrize("part", ["protocol", "version"])
def test_another_protocol_or_version_of_an_evaluation_is_not_what_was_done_before(
    mine: Store, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    if part == "version":
        monkeypatch.setattr(EVALUATIONS.get("latent"), "version", 99)
    else:
        real = Protocol.settings
        monkeypatch.setattr(Protocol, "settings", lambda *given: real(*given).model_copy(update={"episodes": 5}))
    evaluated = evaluate(config(**LATENT), mine)
    assert evaluated.earlier == ()
    metrics = read_table(mine, "metrics", run="m0").compute()
    latent = metrics[(metrics.metric == "effective_rank") & (metrics.evaluation == "latent")]
    assert len(latent) == 4 and latent.protocol_digest.nunique() * latent.evaluation_version.nunique() == 2
    shown = [figure for figure in metrics_table(mine, "m0") if figure.kind == "effective_rank"]
    assert len(shown) == 4 and len({(f.split, f.protocol_digest, f.evaluation_version) for f in shown}) == 4


def test_weights_of_a_training_that_went_on_are_judged_apart_from_those_before(mine: Store) -> None:
    before = plan_evaluation(config(), mine).model
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=30, executor="local"), mine)
    evaluated = evaluate(config(**LATENT), mine)
    assert evaluated.plan.model != before and evaluated.earlier == ()
    shown = [figure for figure in metrics_table(mine, "m0") if figure.kind == "effective_rank"]
    assert {figure.model_digest for figure in shown} == {before.digest, evaluated.plan.model.digest} and len(shown) == 4
    old = evaluate(config(model=str(before), **LATENT), mine)
    assert old.plan.model == before and len(old.earlier) == 2
    # The curve of the new weights goes on from that of the old, also on the page of a run that judged only the new.
    evaluate(config(run="new", **LATENT), mine)
    assert set(read_run(mine, "new").tables["training"].model_digest) == {before.digest, evaluated.plan.model.digest}


@pytest.mark.slow
def test_several_processes_find_the_same_figures(mine: Store) -> None:
    before = figures(mine)
    for unit in plan_evaluation(config(), mine).units:
        mine.delete(f"reports/manifests/{unit.key}.json")
        assert read_unit(mine, unit.key) is None
    evaluate(config(workers=2), mine)
    assert figures(mine).equals(before)
