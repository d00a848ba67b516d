"""Additions that live outside the tree: modules named by `--import`, and entry points of installed packages."""

import functools
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Iterable

from jepa.core.errors import InputError

VARIABLE = "JEPA_IMPORT"
"""Names the modules, separated by commas; every child process and every worker inherits it."""

_imported: set[str] = set()


def request_plugins(modules: Iterable[str]) -> None:
    """Imports modules here, and has every process that is started from here import them too.

    A module may lie in the current folder, as with `python -m`.

    Raises:
        InputError: a module cannot be imported; the message names it and what went wrong.
    """
    wanted = list(dict.fromkeys([*requested_plugins(), *modules]))
    if not wanted:
        return
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    os.environ[VARIABLE] = ",".join(wanted)
    import_plugins()


def import_plugins() -> None:
    """Imports the modules that are asked for and not imported yet; registries call it before they deny a name.

    Raises:
        InputError: a module cannot be imported.
    """
    for module in requested_plugins():
        if module in _imported:
            continue
        # Marked first: the module itself may ask a registry for a name.
        _imported.add(module)
        try:
            importlib.import_module(module)
        except Exception as error:
            _imported.discard(module)
            raise InputError(
                f"module {module!r} of --import cannot be imported ({type(error).__name__}: {error}); "
                "correct its name, or run where Python finds it"
            ) from error


@functools.cache
def entry_points_of(group: str | None) -> dict[str, importlib.metadata.EntryPoint]:
    """Returns what installed packages offer in an entry-point group, by name."""
    if group is None:
        return {}
    return {point.name: point for point in importlib.metadata.entry_points(group=group)}


def requested_plugins() -> list[str]:
    """Returns the modules that JEPA_IMPORT names."""
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
