"""One idiom for all that is picked by name: worlds, behaviours, encoders, objectives, planners, codecs, evaluations."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from jepa.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names for the implementations of one kind; the decorator `register` adds one, `get` finds it again."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Returns a decorator that files a class or function under `name`.

        Raises:
            ValueError: the name is taken; two implementations under one name would make results ambiguous.
        """

        def decorate(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return decorate

    def get(self, name: str) -> T:
        """Returns the entry called `name`.

        Raises:
            InputError: nothing is registered under that name; the message lists what is.
        """
        if name not in self._entries:
            raise InputError(f"{self.kind} {name!r} is not known; choose one of: {', '.join(self.names())}")
        return self._entries[name]

    def names(self) -> list[str]:
        """Returns all names in alphabetical order."""
        return sorted(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
