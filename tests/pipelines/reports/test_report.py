"""The HTML report: it shows what the tables hold, stands alone, and lets no name in the tables become markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.collect import CollectConfig, collect
from pipelines.reports.html import ReportConfig, report
from pipelines.reports.html.cards import render_markdown
from pipelines.reports.html.draw_training import panels
from pipelines.store.reports.tables import read_table, write_tables
from tests.pipelines.reports import synthetic

VOID = {"meta", "img", "br", "link", "input", "hr"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "poster", "action"}


class Page(HTMLParser):
    """What a browser would see: elements that are closed in order, addresses that would be loaded, ids, texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            # A link is only followed by who clicks it.
            if (tag, name) != ("a", "href") and name in LOADING and not (value or "").startswith(("data:", "#")):
                self.loads.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"


def made(store: Store, **config: object) -> str:
    """Returns the text of a freshly made report."""
    result = report(ReportConfig(**config), store, Progress())
    return store.read(result.path).decode()


def figures_of(text: str) -> dict:
    """Returns the embedded figures."""
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    return json.loads(found[1])


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
        assert f"<b>{row.value:.4g}</b>" in text


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
    with pytest.raises(InputError, match=r"'other' has no results.*early, late"):
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


def test_what_the_model_imagines_is_shown_where_it_was_drawn(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context("plain"))
    assert "imagin" not in made(store)
    write_tables(store, synthetic.decoding_rows(), "b", synthetic.context("drawn"))
    text = made(store, run="drawn")
    assert "What the model imagines" in text and "imagination" in Page(text).ids and Page(text).open == []
    strips = re.findall(r'<figure class="strip">.*?</figure>', text, flags=re.DOTALL)
    assert [strip.count("<img") for strip in strips] == [3 * 5, 3 * 5]
    assert "Episode 901" in strips[1] and "what happened" in strips[1] and "step 20" in strips[1]
    assert "Peak signal-to-noise ratio of drawn pictures" in text


def test_training_curves_share_a_panel_where_they_compare() -> None:
    names = ["loss", "prediction", "sigreg", "latent_std", "latent_std_min", "latent_std_max", "straightness"]
    shown = {panel.title: panel.metrics for panel in panels(sorted(names))}
    assert list(shown.values()) == [
        ("loss", "prediction"),
        ("latent_std_max", "latent_std", "latent_std_min"),
        ("sigreg",),
        ("straightness",),
    ]


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


def test_cards_are_markdown_without_anything_that_loads_or_runs() -> None:
    card = "# Card\n\n<script>alert(1)</script>\n\n![x](http://evil.example/x.png) [y](javascript:alert(1)) `code`\n"
    html = render_markdown(card)
    page = Page(html)
    assert "script" not in page.tags and "img" not in page.tags and page.loads == []
    assert "<h4>Card</h4>" in html and "<code>code</code>" in html


@pytest.mark.s3
def test_a_store_on_s3_gets_its_report_too(s3: str) -> None:
    store = open_store(s3)
    synthetic.write_run(store)
    result = report(ReportConfig(), store, Progress())
    assert result.address.startswith("s3://") and "goals reached, cross-room" in store.read(result.path).decode()
