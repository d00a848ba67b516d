"""Templates of pages, and the style that all pages have in common."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

STYLE = Path(__file__).parents[1] / "style.css"


def environment(folder: Path) -> Environment:
    """Returns what renders the templates of a folder; every name in a table comes from someone's input: escaped."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_style(*more: Path) -> Markup:
    """Returns the style of all pages, and after it that of files of a page's own."""
    return Markup("".join(path.read_text(encoding="utf-8") for path in (STYLE, *more)))
