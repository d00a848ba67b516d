"""Cards: those of the version that was judged, with nothing in them that loads or runs."""

from pathlib import Path

from infra.storage import open_store
from pipelines.reports.page.sections.cards import dataset_card, model_card, render_markdown
from pipelines.store import DatasetHandle
from pipelines.store.references import DatasetRef
from tests.pipelines.reports.page.pages import Page
from tests.pipelines.small_dataset import small_dataset


def test_cards_are_markdown_without_anything_that_loads_or_runs() -> None:
    card = "# Card\n\n<script>alert(1)</script>\n\n![x](http://evil.example/x.png) [y](javascript:alert(1)) `code`\n"
    html = render_markdown(card)
    page = Page(html)
    assert "script" not in page.tags and "img" not in page.tags and page.loads == []
    assert "<h4>Card</h4>" in html and "<code>code</code>" in html


def test_a_card_is_that_of_the_version(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for episodes in (8, 12):
        small_dataset(store, name="d0", episodes=episodes)
    store.write("models/m0/card.md", b"a model")
    first, newest = (DatasetHandle(store, "d0").card(version) for version in (1, 2))
    assert first != newest
    assert dataset_card(store, DatasetRef(name="d0", version=1, digest="")) == render_markdown(str(first))
    assert dataset_card(store, "d0") == render_markdown(str(newest)) and "a model" in str(model_card(store, "m0"))
    assert dataset_card(store, DatasetRef(name="d0", version=3, digest="")) is None
    assert model_card(store, "../m0") is None and dataset_card(store, "../d0") is None
