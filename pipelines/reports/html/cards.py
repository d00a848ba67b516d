"""Dataset and model cards: Markdown from the store, shown in the report without anything that loads or runs."""

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

from infra.storage import Store

# Raw HTML is shown as the text it is, and a picture from elsewhere would be loaded from there.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def is_name(name: str) -> bool:
    """Returns whether a dataset or model may be called so: rows say what they like, a path must stay in its folder."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", name) is not None


def card(store: Store, kind: str, name: str) -> Markup | None:
    """Returns the card of a `dataset` or a `model` as HTML, None where there is none."""
    path = f"{kind}s/{name}/card.md"
    if not is_name(name) or not store.exists(path):
        return None
    return render_markdown(store.read(path).decode("utf-8", errors="replace"))


def render_markdown(text: str) -> Markup:
    """Returns Markdown as HTML whose headings fit below the report's own."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # escaped by the renderer: html is off
