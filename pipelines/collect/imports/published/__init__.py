"""Which columns of the published LeWM files are which quantities of our worlds: a YAML file for each world."""

from collections.abc import Mapping
from importlib.resources import files

import yaml

from pipelines.collect.imports.columns import Mapped


def published_columns(world: str, widths: Mapping[str, int]) -> tuple[str, ...]:
    """Returns how a world's quantities are found in a published file, those that are; empty where none is.

    Args:
        world: that the file shows.
        widths: values of a row of each column that the file has.
    """
    source = files(__name__) / f"{world}.yaml"
    if not source.is_file():
        return ()
    ways: dict[str, str | list[str]] = yaml.safe_load(source.read_text())["columns"]
    found = []
    for name, given in ways.items():
        mapped = [Mapped(f"{name}={way}") for way in ([given] if isinstance(given, str) else given)]
        found += [one for one in mapped if _fits(one, widths)][:1]
    # Constants alone would say that the file shows this world, and nothing of what happens in it.
    return tuple(one.text for one in found) if any(one.columns for one in found) else ()


def _fits(mapped: Mapped, widths: Mapping[str, int]) -> bool:
    return all(
        term.number is not None or (term.column in widths and term.size(widths) is not None) for term in mapped.terms
    )
