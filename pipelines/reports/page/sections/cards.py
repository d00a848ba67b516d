"""Dataset and model cards: Markdown from the store, shown in the report without anything that loads or runs."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from infra.storage import Store
from pipelines.store import DatasetHandle
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.references import NAME, DatasetRef

# Raw HTML is shown as the text it is, and a picture from elsewhere would be loaded from there.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def is_name(name: str) -> bool:
    """Returns whether a dataset or model may be called so: rows say what they like, a path must stay in its folder."""
    return NAME.fullmatch(name) is not None


def dataset_card(store: Store, reference: DatasetRef | str) -> Markup | None:
    """Returns the card of a dataset's version as HTML, of the newest where only its name is known; None without one."""
    if isinstance(reference, str):
        return _shown(DatasetHandle(store, reference).card()) if is_name(reference) else None
    return _shown(DatasetHandle(store, reference.name).card(reference.version))


def model_card(store: Store, name: str) -> Markup | None:
    """Returns the card of a model as HTML, None where there is none."""
    return _shown(ModelHandle(store, name).card()) if is_name(name) else None


def _shown(text: str | None) -> Markup | None:
    return None if text is None else render_markdown(text)


def render_markdown(text: str) -> Markup:
    """Returns Markdown as HTML whose headings fit below the report's own."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # escaped by the renderer: html is off
