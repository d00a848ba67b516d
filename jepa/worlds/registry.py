"""The registry of worlds: names, and families of names whose classes are made when they are asked for."""

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry

if TYPE_CHECKING:
    from jepa.worlds.world import World

Maker = TypeVar("Maker", bound=Callable[[str], "type[World]"])


class WorldRegistry(Registry["type[World]"]):
    """The worlds by name, and families of them: a name that begins with a family's prefix is made when asked for."""

    def __init__(self, modules: Mapping[str, str], families: Mapping[str, tuple[str, str, str]]) -> None:
        """Takes the built-in worlds, and families by prefix: what may follow it, the module that makes them, a line."""
        super().__init__("world", modules, group="jepa.worlds")
        self._families = dict(families)
        self._makers: dict[str, Callable[[str], type[World]]] = {}

    def register_family(self, prefix: str) -> Callable[[Maker], Maker]:
        """Returns a decorator that files a function from a whole name to its class."""

        def decorate(make_class: Maker) -> Maker:
            self._makers[prefix] = make_class
            return make_class

        return decorate

    def get(self, name: str) -> "type[World]":
        """Returns the class of a world; the same one for the same name.

        Raises:
            InputError: nothing is registered under that name, or its family cannot make it.
        """
        prefix = self._family_of(name)
        if prefix is not None:
            importlib.import_module(self._families[prefix][1])
            return self._makers[prefix](name)
        if name not in self:
            raise InputError(f"world {name!r} is not known; choose one of: {', '.join(self.choices())}")
        return super().get(name)

    def choices(self) -> list[str]:
        """Returns the names, and for each family its prefix with what may follow it."""
        return [*self.names(), *self.families()]

    def families(self) -> dict[str, str]:
        """Returns for each family its prefix with what may follow it, and what its worlds are."""
        return {prefix + rest: what for prefix, (rest, _, what) in self._families.items()}

    def __contains__(self, name: str) -> bool:
        return self._family_of(name) is not None or super().__contains__(name)

    def _family_of(self, name: str) -> str | None:
        return next((prefix for prefix in self._families if name.startswith(prefix)), None)


WORLDS = WorldRegistry(
    {
        "counting": "jepa.worlds.counting.world",
        "cube": "jepa.worlds.adapters.cube.world",
        "pusht": "jepa.worlds.adapters.pusht.world",
        "reacher": "jepa.worlds.adapters.reacher.world",
        "swm_two_room": "jepa.worlds.adapters.swm_two_room.world",
        "two_room": "jepa.worlds.two_room.world",
    },
    {
        "gymnasium:": (
            "<id of a Gymnasium environment>",
            "jepa.worlds.adapters.any_gymnasium.world",
            "any installed environment that renders RGB pictures, e.g. gymnasium:Pendulum-v1; with a module that "
            "registers the id, gymnasium:<module>:<id>",
        )
    },
)
