"""Packages that offer names of their modules and import a module only when one of its names is asked for.

Such a package lists its names as imports under `if TYPE_CHECKING:`, where type checkers and editors read them, and
calls `offer_lazily(__name__)`, which reads them there too: every name is written once, beside `__all__`.
"""

import ast
import importlib
import sys
from importlib.abc import InspectLoader
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """A package whose offered names are looked up in their modules at first use (as PEP 562 does)."""

    def __getattr__(self, name: str) -> Any:
        module = self.__dict__["_offered"].get(name)
        if module is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(module), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds each submodule to its package: `coverage` the module must not hide the function.
        if not (isinstance(value, ModuleType) and name in self.__dict__["_offered"]):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__dict__["_offered"]})

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # Pickled by name, as cloudpickle does with every other module that a function refers to.
        return importlib.import_module, (self.__name__,)


def offer_lazily(package: str) -> None:
    """Makes the names that a package imports under `if TYPE_CHECKING:` importable from it, without importing them now.

    Args:
        package: its `__name__`.

    Raises:
        ImportError: the package's source cannot be read.
    """
    module = sys.modules[package]
    loader = module.__spec__.loader if module.__spec__ is not None else None
    source = loader.get_source(package) if isinstance(loader, InspectLoader) else None
    if source is None:
        raise ImportError(f"the source of {package} is not there; install it with its .py files")
    module.__dict__["_offered"] = _names(source)
    module.__class__ = LazyPackage


def _names(source: str) -> dict[str, str]:
    """Returns the names that a source imports for type checkers, each with its module."""
    blocks = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    imports = (node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in imports for alias in node.names}
