"""A store of older code, as users hold one: read, summarised, reported, extended and evaluated by the code of today.

It is `tests/fixtures/store_of_28e9d0a.tar.gz`; see the README beside it. Resuming its model `half` is tested with the
trainings, in `tests/pipelines/pretrain/`.
"""

import json
import tarfile
from pathlib import Path

import pytest

from flows.display import headline_rows
from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.evaluation.kinds.probing.report import MAIN
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, Evaluated, evaluate
from pipelines.reports import metrics_table, probe_error_by_quantity, read_table, success_by_world_and_model
from pipelines.reports.page import ReportConfig, report
from pipelines.reports.selection import select
from pipelines.store.reports import committed_units, units_of_run
from pipelines.store.reports.schema import CONTEXT_COLUMNS, tables
from tests.golden.figures import metric_rows
from tests.narrow import queried

FIXTURE = Path(__file__).parent / "fixtures" / "store_of_28e9d0a.tar.gz"
ROWS = Path(__file__).parent / "fixtures" / "metric_rows_of_28e9d0a.json"
"""What that code read from it; later code trains other models, for its seeds reach further."""
NEW_COLUMNS = [column.name for column in CONTEXT_COLUMNS if column.optional]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store as it was, only to be read."""
    return unpacked(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Evaluated, Evaluated]:
    """The store with its model evaluated by today's code: on the first version, then on an extended one."""
    store = unpacked(tmp_path_factory.mktemp("again"))
    first = evaluate(asked(), store)
    fields = {"steps": 40, "image_size": 32, "episodes_per_shard": 8, "test_share": 0.2}
    work = {"executor": "local", "actors": 1}
    collect(CollectConfig(world="two_room", name="golden", episodes=56, **fields, **work), store)
    return store, first, evaluate(asked(), store)


def unpacked(folder: Path) -> Store:
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(folder, filter="data")
    return open_store(str(folder))


def asked() -> EvaluateConfig:
    return EvaluateConfig(model="golden", protocol="tiny-v1", kinds=("probing", "latent"), executor="local")


def test_its_rows_are_read_as_they_were_and_what_is_new_is_null(old: Store) -> None:
    assert metric_rows(old) == json.loads(ROWS.read_text())
    held = {part.table for unit in committed_units(old) for part in unit.parts}
    assert {"metrics", "training", "episodes", "steps", "predictions", "pictures"} == held <= set(tables())
    for table in held:
        frame = read_table(old, table).compute()
        assert len(frame) and frame[NEW_COLUMNS].isna().all(axis=None), table


def test_it_is_summarised(old: Store) -> None:
    figures = metrics_table(old, "golden")
    assert {figure.kind for figure in figures} >= {"success", "regret", "r2", "auroc", "psnr", "effective_rank"}
    assert {figure.n for figure in figures if figure.kind == "success"} == {4}
    rates = success_by_world_and_model(old)
    assert len(rates) == 2 * 2 * 3 and set(rates.n) == {4} and set(rates.run) == {"golden"}
    assert set(probe_error_by_quantity(old).quantity) >= {"agent_position", "all"}
    assert [unit.key for unit in units_of_run(old, "golden")] == [unit.key for unit in committed_units(old)]


@pytest.mark.slow
def test_it_is_reported(old: Store, tmp_path: Path) -> None:
    store = unpacked(tmp_path)
    result = report(ReportConfig(), store, Progress())
    page = store.read(result.path).decode()
    assert result.run == "golden" and list(result.headlines) == metrics_table(old, "golden")
    assert 'class="missing"' not in page and "Training curves by optimiser step" in page


def test_it_is_evaluated_further_with_the_same_figures(again: tuple[Store, Evaluated, Evaluated]) -> None:
    store, first, _ = again
    assert str(first.plan.dataset) == "golden@1" and first.plan.trained_on == first.plan.dataset
    assert first.earlier == ()  # what older code judged has no digests to be known by
    metrics = read_table(store, "metrics", units=first.units).compute()
    wanted = json.loads(ROWS.read_text())
    r2 = select(metrics, {"metric": "r2", "quantity": "all", **MAIN})
    assert len(r2) == 4
    for row in r2.itertuples():
        key = f"split={row.split} evaluation=probing protocol=tiny-v1 probe={row.probe} seed=0 quantity=all metric=r2"
        assert row.value == pytest.approx(wanted[key]["value"], rel=1e-3)


def test_it_is_extended_and_the_new_version_is_judged(again: tuple[Store, Evaluated, Evaluated]) -> None:
    _, first, second = again
    assert str(second.plan.dataset) == "golden@2" and second.plan.trained_on == first.plan.dataset
    assert second.earlier == () and len(second.units) == len(first.units)


@pytest.mark.slow
def test_old_and_new_figures_stand_beside_each_other(again: tuple[Store, Evaluated, Evaluated]) -> None:
    store, first, _ = again
    figures = metrics_table(store, "golden")
    versions = {figure.dataset_version for figure in figures if figure.kind == "r2"}
    assert versions == {None, 1, 2}
    old = [figure for figure in figures if figure.kind == "r2" and figure.dataset_version is None]
    assert [figure.n for figure in old] == [8, 8, 4, 4]
    rows = headline_rows(figures)
    assert {row["dataset"] for row in rows} == {"golden", "golden@1", "golden@2"}
    assert {row["model"] for row in rows} == {"golden", str(first.plan.model)}
    page = store.read(report(ReportConfig(run="golden"), store, Progress()).path).decode()
    assert "golden@1" in page and "golden@2 · Held-out episodes" in page


def test_other_programs_read_old_and_new_files_together(again: tuple[Store, Evaluated, Evaluated]) -> None:
    files = f"{again[0].uri}/reports/kind=metrics/*.parquet"
    sql = f"SELECT dataset_version, count(*) AS n FROM read_parquet('{files}', union_by_name = true) GROUP BY ALL"
    counts = queried(sql).df().set_index("dataset_version").n
    assert len(counts) == 3 and counts[1] == counts[2]
