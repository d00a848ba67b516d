"""A command's options with a field of each kind."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from flows.cli.arguments import read_arguments
from flows.cli.flags import Part
from jepa.core.config import Config


class Inner(Config):
    """A nested configuration."""

    depth: PositiveInt = 3
    """how deep"""


class Options(Config):
    """A command's options."""

    renamed: ClassVar[Mapping[str, str]] = {"count": "episodes"}

    episodes: PositiveInt = 10
    """how many"""
    kinds: tuple[str, ...] = ("a", "b")
    """which"""
    inner: Inner = Inner()
    options: dict[str, Any] | None = None
    """anything"""
    part: Annotated[dict[str, Any], Part(Inner, ("hidden",))] = Field(default_factory=dict)
    fast: bool = False
    """whether to hurry, at 100 % of the cost"""
    mode: Literal["one", "two"] | None = None
    """Which way."""
    label: str
    """what to call it"""


COMMAND = SimpleNamespace(Options=Options, EXAMPLE="jepa collect", POSITIONAL="label")


def read(*arguments: str) -> tuple[Options, str]:
    """Returns the options and the store that arguments, variables and a file make."""
    options, _, shared = read_arguments("collect", "a command", COMMAND, list(arguments))
    assert isinstance(options, Options)
    return options, shared.store
