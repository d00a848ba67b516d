"""One idiom for all that is picked by name: worlds, policies, encoders, predictors, objectives, planners, evaluations.

A registry knows its built-in names from a table of modules and imports a module when its name is asked for: listing
names costs nothing, and no contract imports its implementations. Additions live outside the tree: in a module that
`--import` names (see `jepa.core.registries.plugins`) and that uses the decorator, or in a package with an entry point
in the registry's group.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from jepa.core.errors import InputError
from jepa.core.registries.plugins import entry_points_of, import_plugins

T = TypeVar("T")


class Registry(Generic[T]):
    """Names for the implementations of one kind; the decorator `register` adds one, `get` finds it again."""

    def __init__(self, kind: str, modules: Mapping[str, str] | None = None, group: str | None = None) -> None:
        """Makes a registry.

        Args:
            kind: what an entry is called in messages.
            modules: the built-in names, each with the module that registers it.
            group: entry-point group in which installed packages may offer more.
        """
        self.kind = kind
        self.group = group
        self._modules = dict(modules or {})
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Returns a decorator that files a class or function under `name`.

        Raises:
            ValueError: the name is taken; two implementations under one name would make results ambiguous.
        """

        def decorate(entry: T) -> T:
            origin = getattr(entry, "__module__", None)
            if name in self._entries or self._modules.get(name, origin) != origin:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return decorate

    def get(self, name: str) -> T:
        """Returns the entry called `name`, importing the module that registers it where that has not happened yet.

        Raises:
            InputError: nothing is registered under that name; the message lists what is.
        """
        if name not in self._entries:
            self._load(name)
        if name not in self._entries:
            raise InputError(f"{self.kind} {name!r} is not known; choose one of: {', '.join(self.names())}")
        return self._entries[name]

    def check(self, name: str) -> None:
        """Passes where something has that name; no built-in module is imported for it. Raises as `get` does."""
        if name not in self:
            raise InputError(f"{self.kind} {name!r} is not known; choose one of: {', '.join(self.names())}")

    def module_of(self, name: str) -> str | None:
        """Returns the module that registers a built-in name, None once it has been imported, and for other names."""
        return None if name in self._entries else self._modules.get(name)

    def names(self) -> list[str]:
        """Returns all names in alphabetical order; no built-in module is imported for it."""
        import_plugins()
        return sorted({*self._modules, *self._entries, *entry_points_of(self.group)})

    def __contains__(self, name: str) -> bool:
        return name in self._entries or name in self._modules or name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _load(self, name: str) -> None:
        if name in self._modules:
            importlib.import_module(self._modules[name])
            return
        import_plugins()
        if name not in self._entries and (offered := entry_points_of(self.group).get(name)) is not None:
            entry = offered.load()
            # A module that uses the decorator has filed it by now.
            self._entries.setdefault(name, entry)
