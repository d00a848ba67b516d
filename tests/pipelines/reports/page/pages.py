"""Pages as tests read them."""

import json
import re
from html.parser import HTMLParser
from typing import Any

from infra.progress import Progress
from infra.storage import Store
from pipelines.reports.page import ReportConfig, report

VOID = {"meta", "img", "br", "link", "input", "hr", "source"}
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


def figures_of(text: str) -> dict[str, Any]:
    """Returns the embedded figures."""
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    figures: dict[str, Any] = json.loads(found[1])
    return figures
