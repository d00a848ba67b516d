"""The HTML report: it shows what the tables hold, stands alone, and lets no name in the tables become markup."""

import re
from pathlib import Path

import pandas as pd
import pytest

from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.collect import CollectConfig, collect
from pipelines.reports.page import ReportConfig, report
from pipelines.reports.page.drawings.figure_table import figure_text
from pipelines.store.reports import plan_run, read_table, write_tables
from pipelines.store.reports.verify import verify_reports
from tests.pipelines.damage import HARMS, damage
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.charts import table_rows
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import VARIANTS, grid_rows
from tests.pipelines.reports.page.pages import Page, figures_of, made


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a small real dataset, a card of a model, and a run that has everything."""
    store = open_store(str(tmp_path_factory.mktemp("report") / "store"))
    collect(CollectConfig(name="d0", episodes=60, steps=12, executor="local", actors=1), store)
    store.write("models/m0/card.md", b"# Model m0\n\n| field | value |\n|---|---|\n| latent size | 32 |\n")
    synthetic.write_run(store)
    return store


@pytest.fixture(scope="module")
def text(full: Store) -> str:
    return made(full, run="run-1")


def test_every_section_is_there_and_none_says_that_it_misses_something(text: str) -> None:
    page = Page(text)
    sections = {"episodes", "training", "probing", "planning", "surprise", "cards", "all-figures", "provenance"}
    assert sections <= set(page.ids) and page.open == []
    assert 'class="missing"' not in text
    assert text.count('<figure class="strip">') == 4 + 2 and text.count("<svg") >= 6
    assert "latent size" in text and "Dataset d0" in text


def test_the_page_stands_alone_and_is_small(text: str) -> None:
    page = Page(text)
    assert page.loads == [] and page.handlers == []
    assert not re.search(r"@import|url\((?!#|'#|\"#)", text)
    assert not {"link", "iframe", "object", "embed", "form"} & page.tags
    assert len(page.ids) == len(set(page.ids))
    assert len(text) < 5 * 2**20


def test_the_figures_are_those_of_the_parquet(full: Store, text: str) -> None:
    metrics = read_table(full, "metrics", run="run-1").compute()
    figures = figures_of(text)
    assert figures["run"] == "run-1" and len(figures["metrics"]) == len(metrics)
    shown = pd.DataFrame(figures["metrics"])
    keys = ["evaluation", "goal", "planner", "probe", "quantity", "shift", "metric"]
    both = [table.astype({key: object for key in keys}).fillna({key: "" for key in keys}) for table in (metrics, shown)]
    left, right = (table.sort_values(keys).reset_index(drop=True) for table in both)
    for column in ("value", "ci_low", "ci_high", "n"):
        assert list(left[column]) == list(right[column])
    for headline in figures["headlines"]:
        if headline["kind"] == "success":
            rows = metrics[(metrics.metric == "success_rate") & (metrics.planner == "cem")]
            assert headline["value"] in set(rows.value)
    for row in metrics.itertuples():
        assert f">{row.value:.4g}</data></b>" in text


def test_the_same_tables_make_the_same_page(full: Store, text: str) -> None:
    assert made(full, run="run-1") == text


def test_the_last_run_is_reported_unless_one_is_named(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    with pytest.raises(InputError, match="holds no results"):
        report(ReportConfig(), store, Progress())
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "b", synthetic.context("early"))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context("late"))
    result = report(ReportConfig(), store, Progress())
    assert result.run == "late" and result.address == store.address("reports/late/report.html")
    assert result.headlines[0].kind == "auroc"
    plan_run(store, "latest", ["b"], {})
    assert report(ReportConfig(), store, Progress()).run == "latest"
    with pytest.raises(InputError, match=r"'other' has no results.*early, late, latest"):
        report(ReportConfig(run="other"), store, Progress())


def test_what_was_not_evaluated_is_said(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context())
    text = made(store)
    assert "No planning was evaluated" in text and "No probes were evaluated" in text
    assert "The store holds no training curve" in text and "The dataset is not in this store" in text
    assert Page(text).open == []


def test_a_model_trained_in_another_run_brings_its_curve(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"training": synthetic.training_rows(100)}, "a", synthetic.context("training-run"))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "b", synthetic.context("judging-run"))
    assert "Training curves by optimiser step" in made(store, run="judging-run")


def test_a_curve_of_other_weights_is_not_that_of_the_judged_model(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    other = synthetic.context("other-run", model_digest="b" * 64)
    write_tables(store, {"training": synthetic.training_rows(100)}, "a", other)
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "b", synthetic.context("judging-run"))
    assert "The store holds no training curve" in made(store, run="judging-run")
    # Older code did not write which weights a training led to.
    write_tables(store, {"training": synthetic.training_rows(100)}, "c", synthetic.older_context("older-run"))
    assert "Training curves by optimiser step" in made(store, run="judging-run")


def test_what_the_model_imagines_is_shown_where_it_was_drawn(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context("plain"))
    assert "imagin" not in made(store)
    write_tables(store, synthetic.decoding_rows(), "b", synthetic.context("drawn"))
    text = made(store, run="drawn")
    assert "What the model imagines" in text and "decoding" in Page(text).ids and Page(text).open == []
    strips = re.findall(r'<figure class="strip">.*?</figure>', text, flags=re.DOTALL)
    assert [strip.count("<img") for strip in strips] == [3 * 5, 3 * 5]
    assert "Episode 901" in strips[1] and "what happened" in strips[1] and "step 20" in strips[1]
    assert "Peak signal-to-noise ratio of drawn pictures" in text


ATTACK = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'$\\frac{-->"


def test_names_from_the_tables_never_become_markup(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    context = synthetic.context(model=ATTACK, world=ATTACK)
    rows = {
        "metrics": [
            *(row | {"protocol": ATTACK, "goal": ATTACK, "unit": ATTACK} for row in synthetic.planning_metrics()),
            *(row | {"quantity": ATTACK} for row in synthetic.probing_metrics()),
            *(row | {"shift": ATTACK} for row in synthetic.surprise_metrics()[:1]),
        ],
        "episodes": [row | {"goal": ATTACK, "unit": ATTACK} for row in synthetic.planning_episodes(3)],
        "steps": [row | {"shift": ATTACK} for row in synthetic.surprise_steps(2)],
        "predictions": [row | {"quantity": ATTACK, "unit": ATTACK} for row in synthetic.predictions(20)],
        "pictures": [row | {"source": "true", "protocol": ATTACK} for row in synthetic.decoding_rows(2)["pictures"]],
        "training": [row | {"metric": ATTACK} for row in synthetic.training_rows(100)[:6]],
    }
    write_tables(store, rows, "attack", context)
    text = made(store)
    page = Page(text)
    assert page.loads == [] and page.handlers == [] and page.open == []
    assert "<script>alert" not in text and "<img src=http" not in text
    assert figures_of(text)["headlines"][0]["model"] == ATTACK


def test_the_page_of_a_mixed_store_pools_nothing_and_tells_all_apart(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    text = made(store, run="run-2")
    variants = len(synthetic.VARIANTS)
    assert Page(text).open == [] and len(figures_of(text)["headlines"]) == 3 * variants
    # Tiles stand under a heading of their own, charts are drawn for each origin.
    headings = re.findall(r"<h2>(.*?Held-out episodes)</h2>", text)
    assert len(headings) == len(set(headings)) == variants
    for kind in ("Goals reached", "Read by probes", "Surprise over time"):
        charts = re.findall(rf"<h3>{kind}(.*?)</h3>", text)
        assert len(charts) == len(set(charts)) == variants, kind
        assert any("m1" in chart for chart in charts) and any("d0@2" in chart for chart in charts)
        assert any("seed 1" in chart for chart in charts) and any("tiny-v1" in chart for chart in charts)
    assert text.count('<p class="value"><data value="0.04">4 %</data></p>') == 1 and "<th>dataset</th>" in text
    assert "d0@1, d0@2, d1@1" in text and "m0@aaaaaaaa, m0@bbbbbbbb, m1@aaaaaaaa" in text


def test_two_runs_of_older_code_have_a_page_each(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    text = made(store, run="old-2")
    assert len(figures_of(text)["headlines"]) == 3 and "<h2>Held-out episodes</h2>" not in text


def test_a_result_is_shown_in_one_short_line(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context())
    result = report(ReportConfig(), store, Progress())
    assert repr(result) == f"<report of run run-1: 2 headline figures, {tmp_path}/reports/run-1/report.html>"


def test_a_page_that_is_damaged_is_found_and_drawn_again(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_run(store)
    path = report(ReportConfig(), store, Progress()).path
    page = store.read(path)
    assert verify_reports(store).ok and verify_reports(store).unknown == ()
    for seed in range(3 * len(HARMS)):
        harm = damage(store, path, seed)
        found = [(problem.path, problem.detail) for problem in verify_reports(store).problems]
        assert found == ([] if harm == "remove" else [(path, "draw it again: jepa report --run run-1")]), (harm, seed)
        store.write(path, page)
    damage(store, path, 0)
    report(ReportConfig(), store, Progress())
    assert store.read(path) == page
    store.write(path, page[: page.rindex(b"<!--")])  # as earlier code wrote it
    assert verify_reports(store).ok and f"{path} was written by earlier code" in verify_reports(store).unknown[0]


@pytest.mark.s3
def test_a_store_on_s3_gets_its_report_too(s3: str) -> None:
    store = open_store(s3)
    synthetic.write_run(store)
    result = report(ReportConfig(), store, Progress())
    assert result.address.startswith("s3://") and "goals reached, cross-room" in store.read(result.path).decode()


def test_the_page_of_many_planners_says_each_figure_of_the_parquet_in_its_tables(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for seed in (0, 1):
        rows = [{**row, "seed": seed, "value": row["value"] + 0.003 * seed} for row in grid_rows(VARIANTS[:12])]
        write_tables(store, {"metrics": rows}, f"seed-{seed}", synthetic.context())
    again = [{**row, "value": 0.123, "ci_low": 0.1, "ci_high": 0.15} for row in grid_rows(VARIANTS[:12])]
    # Done again, as `--force` does: of the first rows nothing may remain.
    write_tables(store, {"metrics": again}, "seed-0", synthetic.context(), replace=True)
    text = made(store, run="run-1")
    metrics = read_table(store, "metrics", run="run-1").compute()
    assert set(metrics.value[metrics.seed == 0]) == {0.123} and Page(text).open == []
    blocks = re.findall(r"<h3>Planners in figures · seed (\d)</h3>(.*?)</table>", text, flags=re.DOTALL)
    assert [seed for seed, _ in blocks] == ["0", "1"]
    for seed, block in blocks:
        own, goal = metrics[metrics.seed == int(seed)], ""
        _, *lines = table_rows(block)
        assert len(lines) == 2 * (1 + 15)
        for kind, cells in lines:
            goal = cells[0][0].split()[0].replace("-", "_") if "group" in kind else goal
            for metric, cell in zip(("success_rate", "regret", "plan_seconds"), cells[1:-1], strict=False):
                of_planner = own[(own.metric == metric) & (own.planner == cells[0][0]) & (own.goal == goal)]
                value, unit = float(of_planner.value.iloc[0]), of_planner.unit.iloc[0]
                assert len(of_planner) == 1 and cell[0] == figure_text(value, unit, metric == "success_rate")
    # Of seed 0, where all are alike, nothing is drawn against compute; the tiles of both are tables.
    assert re.findall(r"<h3>Goals reached against compute(.*?)</h3>", text) == [" · seed 1"]
    assert text.count('<div class="block matrix">') == 4 and 'class="tiles"' not in text
