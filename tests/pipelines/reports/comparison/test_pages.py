"""Leaderboard and comparison as files: nothing pooled, numbers equal to the Parquet's, and no markup from names."""

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from infra.storage import Store, open_store
from pipelines.reports.comparison import compare, leaderboard
from pipelines.reports.comparison.pages.writing import write_comparison, write_leaderboard_page
from pipelines.store.reports import write_tables
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.comparison.judged import write_planning
from tests.pipelines.reports.page.browser import PHONE, seen


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with figures of the planners of two models, on the same problems, and of one on others."""
    store = open_store(str(tmp_path / "runs"))
    for model in ("m0", "m1"):
        facts = synthetic.context(model=model, model_digest=model[1] * 64, problems_digest="9" * 64)
        rows = [row | {"privileged": row["planner"] == "oracle"} for row in synthetic.planning_metrics(50)]
        for row in rows:
            if row["planner"] == "cem" and row["metric"] == "success_rate" and model == "m1":
                row |= {"value": 0.95, "ci_low": 0.86, "ci_high": 0.99}
        write_tables(store, {"metrics": rows}, f"planning-{model}", facts)
        write_tables(
            store, {"metrics": rows}, f"planning-{model}-step", facts.model_copy(update={"training_step": 500})
        )
    others = synthetic.context(model="m0", model_digest="0" * 64, problems_digest="8" * 64)
    write_tables(store, {"metrics": synthetic.planning_metrics(20)}, "planning-others", others)
    return store


def test_settings_are_apart_and_the_best_is_first(store: Store) -> None:
    table = leaderboard(store)
    assert len(table) == 2 * 2 * 3 + 2 * 3  # models, goals and planners, and the other problems of one
    cem = table[(table.planner == "cem") & (table.goal == "uniform") & (table.problems_digest == "9" * 64)]
    assert list(cem.model) == ["m1", "m0"] and list(cem.success_rate) == [0.95, 0.9] and set(cem.n) == {50}
    assert set(table[table.problems_digest == "8" * 64].n) == {20}
    assert list(cem.success_rate_low) == [0.86, pytest.approx(0.786, abs=1e-3)]
    assert set(table.dataset_version) == {1} and set(table.seed) == {0}


def test_an_empty_store_has_an_empty_leaderboard(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    address, table = write_leaderboard_page(store)
    assert table.empty and "was judged by planning yet" in Path(address).read_text()
    assert pd.read_parquet(tmp_path / "reports/leaderboard.parquet").empty


def test_every_number_of_the_page_is_in_the_parquet(store: Store) -> None:
    address, _ = write_leaderboard_page(store)
    held = pd.read_parquet(Path(address).with_suffix(".parquet"))
    pd.testing.assert_frame_equal(held, leaderboard(store), check_dtype=False)
    page = Path(address).read_text()
    shown = [float(value) for value in re.findall(r'<data value="([^"]+)"', page)]
    numbers = set(held.select_dtypes("number").to_numpy(float, na_value=float("nan")).ravel())
    assert len(shown) > 60 and set(shown) <= numbers
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert len(headings) == len(set(headings)) == 4 and "problems 88888888" in headings[-1]  # those of fewest problems
    assert page.count('href="#r') == 4 and not re.search(r">[^<]*\de-\d", page)
    assert page.count("privileged</span>") == 2 and page.count("any model") == 4


def test_a_click_on_a_head_sorts_offline_and_silently(store: Store, browser: Browser) -> None:
    address, _ = write_leaderboard_page(store)
    order = "[...document.querySelectorAll('table')[1].tBodies[0].rows].map(row => row.cells[1].textContent.trim())"
    with seen(browser, Path(address)) as sight:
        before = sight.ask(order)
        assert before[:2] == ["cem", "cem"]
        head = sight.page.locator("table").nth(1).locator("th button").nth(2)
        head.click()
        assert [name.split()[0] for name in sight.ask(order)] == ["oracle", "cem", "cem", "random"]
        head.click()
        assert [name.split()[0] for name in sight.ask(order)] == ["random", "cem", "cem", "oracle"]
        assert sight.complaints == [] and sight.requests == []


def test_the_page_of_a_comparison_holds_its_numbers(store: Store) -> None:
    for model, skill in (("n0", 0.4), ("n1", 0.8)):
        write_planning(store, model, skill)
    found = compare(store, ["n0", "n1"])
    page = Path(write_comparison(store, found)).read_text()
    shown = set(re.findall(r'<data value="([^"]+)"', page))
    for one in found.differences:
        assert {repr(one.difference), repr(one.ci_low), repr(one.ci_high)} <= shown
    assert page.count("<svg") == 3 and page.index(">difference</th>") < page.index(">n0</th>")
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_telephone_shows_charts_whole(store: Store, browser: Browser) -> None:
    for model, skill in (("n0", 0.4), ("n1", 0.8)):
        write_planning(store, model, skill)
    address = write_comparison(store, compare(store, ["n0", "n1"]))
    with seen(browser, Path(address), PHONE) as sight:
        assert (
            sight.ask("Math.max(...[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().right))")
            < PHONE
        )
