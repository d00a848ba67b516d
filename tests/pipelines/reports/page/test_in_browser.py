"""The page in a real browser: silent and alone, with all that was declared, and every number is the Parquet's."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from infra.storage import Store, open_store
from jepa.evaluation import EVALUATIONS
from pipelines.collect import CollectConfig, collect
from pipelines.reports.page.data import METRICS_ORDER
from pipelines.reports.selection import select
from pipelines.store.reports import read_table, write_tables
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.browser import DESKTOP, PAPER, PHONE, Scheme, seen
from tests.pipelines.reports.page.evaluated import more_evaluations
from tests.pipelines.reports.page.pages import figures_of, made
from tests.pipelines.reports.page.seen import CONTRAST, COUNTS_CUT, CUT_OFF, LETTERS, NUMBERS, UNMARKED, WORDS_CUT

READABLE = 4.5
"""Contrast of text with its ground that WCAG 2 asks for."""
SMALLEST = 11.0
"""Pixels of letters in charts."""
KEY = METRICS_ORDER


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a small real dataset and a run that holds what every drawing draws."""
    store = open_store(str(tmp_path_factory.mktemp("browser") / "store"))
    collect(CollectConfig(name="d0", episodes=40, steps=12, executor="local", actors=1), store)
    synthetic.write_run(store)
    for name, tables in more_evaluations().items():
        write_tables(store, tables, f"run-1-{name}", synthetic.context())
    return store


@pytest.fixture(scope="module")
def page(store: Store) -> Path:
    made(store, run="run-1")
    return Path(store.address("reports/run-1/report.html"))


@pytest.fixture(scope="module")
def metrics(store: Store) -> pd.DataFrame:
    found: pd.DataFrame = read_table(store, "metrics", run="run-1").compute()
    return found


def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, page: Path) -> None:
    with seen(browser, page) as sight:
        sight.page.wait_for_timeout(200)
        assert sight.complaints == [] and sight.requests == []
        broken = "() => [...document.images].filter(one => !one.naturalWidth).map(one => one.alt)"
        assert sight.ask(broken) == [] and sight.ask("() => document.images.length") > 20


def test_every_declared_figure_is_to_be_seen(browser: Browser, page: Path, store: Store) -> None:
    text = page.read_text()
    held = set(read_table(store, "metrics", run="run-1").compute().evaluation)
    blocks = """(id) => [...document.querySelectorAll(`#${id} .block`)].map(one => {
      const shown = one.querySelector('svg, img, table');
      const box = shown ? shown.getBoundingClientRect() : {width: 0, height: 0};
      return [one.querySelector('h3')?.textContent ?? '', box.width, box.height];
    })"""
    drawn: set[tuple[str, str]] = set()
    with seen(browser, page) as sight:
        for kind in sorted(held):
            section = EVALUATIONS.get(kind).section
            if section is None:
                continue
            found = sight.ask(blocks, kind)
            assert found and all(width > 100 and height > 30 for _, width, height in found), (kind, found)
            for chart in section.charts:
                rows = read_table(store, chart.table, run="run-1").compute()
                rows = rows[rows.evaluation == kind] if chart.table == "metrics" else rows
                has_rows = len(select(rows, chart.where, chart.without))
                if chart.heading and has_rows and chart.drawing not in ("planner_lines", "quality_by_seconds"):
                    drawn.add((kind, chart.heading))
                    assert any(heading.startswith(chart.heading) for heading, _, _ in found), (kind, chart.heading)
        assert len(drawn) >= 16
        anchors = sight.ask("() => [...document.querySelectorAll('nav a')].map(one => one.hash)")
        assert anchors and all(f'id="{anchor[1:]}"' in text for anchor in anchors)


def test_every_number_is_that_of_the_parquet(browser: Browser, page: Path, metrics: pd.DataFrame) -> None:
    with seen(browser, page) as sight:
        numbers, unmarked = sight.ask(NUMBERS), sight.ask(UNMARKED)
    assert unmarked == []
    listed = figures_of(page.read_text())["metrics"]
    text = {name: metrics[name].astype(object).where(metrics[name].notna(), "") for name in KEY}
    known = {tuple(row[name] for name in KEY): row for row in metrics.assign(**text).to_dict("records")}
    assert len(listed) == len(known) == len(metrics)
    # What the page's own list says of each row is what the Parquet says of the row with that key.
    for row in listed:
        own = known[tuple("" if row[name] is None else row[name] for name in KEY)]
        for column in ("value", "ci_low", "ci_high", "n"):
            assert _same(row[column], own[column]), (row, column)
    values = set(np.concatenate([metrics[name].dropna().to_numpy(float) for name in ("value", "ci_low", "ci_high")]))
    assert len([one for one in numbers if one["table"] == "all-figures" and one["rows"]]) == len(metrics)
    for one in numbers:
        _check_text(one)
        if one["rows"]:
            assert float(one["value"]) == pytest.approx(
                np.mean([listed[row]["value"] for row in one["rows"]]), abs=1e-15
            ), one
        elif one["table"] in ("chart", "") and not _is_count(one, metrics):
            # Headline tiles, and what stands at the ends of bars.
            assert float(one["value"]) in values | {0.5}, one
    assert sum(one["table"] == "chart" for one in numbers) > 10 and sum(one["table"] == "" for one in numbers) > 20


def _is_count(one: dict[str, Any], metrics: pd.DataFrame) -> bool:
    return one["text"].isdigit() and int(one["text"]) in set(metrics.n)


def _same(one: Any, other: Any) -> bool:
    return bool(one is None and pd.isna(other)) or float(one) == float(other)


def _check_text(one: dict[str, Any]) -> None:
    """Asserts that the digits which are read are those of the values, rounded."""
    ends = [one["value"]] + [end for end in (one["low"], one["high"]) if end is not None]
    texts = re.findall(r"[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?", one["text"])[: len(ends)]
    assert len(texts) == len(ends), one
    for text, end in zip(texts, ends, strict=True):
        plain = text.replace("−", "-").replace(",", "")
        mantissa, _, exponent = plain.partition("e")
        step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        scale = 100 if one["percent"] else 1
        assert abs(float(plain) - scale * float(end)) <= 0.5 * step * (1 + 1e-9), one


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, page: Path, scheme: Scheme) -> None:
    with seen(browser, page, scheme=scheme) as sight:
        found = sight.ask(CONTRAST)
        ground = sight.ask("() => getComputedStyle(document.body).backgroundColor")
    assert len(found) > 300 and any(place == "chart" for _, _, place in found)
    assert [one for one in found if one[0] < READABLE] == []
    red = int(re.findall(r"\d+", ground)[0])
    assert red > 200 if scheme == "light" else red < 60


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_page_is_read_at_any_width(browser: Browser, page: Path, width: int) -> None:
    with seen(browser, page, width=width) as sight:
        assert sight.ask("() => document.scrollingElement.scrollWidth") <= width
        assert [one for one in sight.ask(LETTERS) if one[0] < SMALLEST - 0.05] == []
        assert sight.ask(WORDS_CUT) == [] and sight.ask(COUNTS_CUT) == []
        # A table that is wider than the screen keeps them in sight, too.
        sight.page.add_style_tag(content=".figures .figure:not(:last-child) { min-width: 400px; }")
        assert sight.ask(COUNTS_CUT) == []


def test_the_page_prints_whole_and_on_white(browser: Browser, page: Path, tmp_path: Path) -> None:
    # Whose screen is dark has white paper all the same.
    with seen(browser, page, width=PAPER, scheme="dark") as sight:
        sight.page.emulate_media(media="print", color_scheme="dark")
        assert sight.ask(CUT_OFF) == []
        ground = sight.ask("() => getComputedStyle(document.body).backgroundColor")
        assert min(map(int, re.findall(r"\d+", ground)[:3])) >= 250
        assert [one for one in sight.ask(CONTRAST) if one[0] < READABLE] == []
        scrolled = "() => [...document.querySelectorAll('.scroll, .block')].filter(one => one.scrollHeight > "
        scrolled += "one.clientHeight + 1 && getComputedStyle(one).overflowY !== 'visible').length"
        assert sight.ask(scrolled) == 0
    with seen(browser, page) as sight:
        printed = sight.page.pdf(path=str(tmp_path / "page.pdf"), format="A4", print_background=True)
    assert printed.startswith(b"%PDF") and 3 <= len(re.findall(rb"/Type /Page\b", printed)) < 40
