"""Command-line flags made from a configuration's fields, so that both always have the same names, help and checks."""

import argparse
import difflib
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flows.cli.terminal import answer
from jepa.core.errors import InputError
from jepa.core.input.yaml_text import YamlProblem, read_yaml
from jepa.core.registries.choices import Choices

REQUIRED = " (required)"


@dataclass(frozen=True)
class Part:
    """Marks a field that holds a part of another configuration (`Annotated[dict[str, Any], Part(CollectConfig)]`)."""

    model: type[BaseModel]
    without: tuple[str, ...] = ()
    """fields that follow from elsewhere and get no flag"""


@dataclass(frozen=True)
class Flag:
    """One field as a flag; `path` leads to it, `many` takes several values, `mapping` NAME=VALUEs, `switch` none."""

    path: tuple[str, ...]
    help: str
    metavar: str
    many: bool = False
    switch: bool = False
    mapping: bool = False
    before: tuple[str, ...] = ()
    """names that the field had before"""
    text: bool = False
    """whether the value is text, brackets and all"""
    choices: Callable[[], tuple[str, ...]] = tuple
    """gives the values that there are, none where they cannot be listed"""

    @property
    def option(self) -> str:
        """Returns the flag as it is typed, e.g. `--collect.image-size`."""
        return option(self.path)

    @property
    def _example(self) -> str:
        """Returns values of a mapping as its help shows them; several of one name have commas between."""
        shown = re.search(r"e\.g\. `([^`]+=[^`]+)`", self.help)
        return shown[1] if shown else "it so"

    @property
    def old_paths(self) -> list[tuple[str, ...]]:
        """Returns the paths that led to the field before it was renamed."""
        return [(*self.path[:-1], name) for name in self.before]

    def read(self, values: list[str]) -> Any:
        """Returns what several values make: a list, or of a mapping the dictionary, inner names after dots.

        Raises:
            InputError: a value of a mapping is not NAME=VALUE or is given twice, or a list in brackets is not closed.
        """
        if not self.mapping:
            return as_list(values, self.option)
        held: dict[str, Any] = {}
        given: dict[str, str] = {}
        for text in values:
            name, equals, value = text.partition("=")
            if not name or not equals:
                raise InputError(f"{text!r} for {self.option} is not NAME=VALUE; write {self._example}")
            if name in given:
                both = f"; write {name}={given[name]},{value}" if "," in self._example else "; give it once"
                raise InputError(f"{name} is given twice for {self.option}{both}")
            given[name] = value
            try:
                put(held, tuple(name.split(".")), as_data(value, f"{self.option} {name}"))
            except (TypeError, AttributeError) as error:
                raise InputError(f"{text!r} for {self.option} goes into what is a value already") from error
        return held


def flags(model: type[BaseModel], prefix: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> Iterator[Flag]:
    """Yields a flag for each field, those of nested configurations with dotted names."""
    for name, field in model.model_fields.items():
        path = (*prefix, name)
        part = next((data for data in field.metadata if isinstance(data, Part)), None)
        if part is not None:
            # What a part needs and is not given comes from the preset, or from the part before.
            for flag in flags(part.model, path, part.without):
                yield replace(flag, help=flag.help.removesuffix(REQUIRED))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from flags(field.annotation, path)
        elif name not in without:
            yield _flag(path, field, tuple(old for old, new in _renamed(model).items() if new == name))


@dataclass(frozen=True)
class Offer:
    """What can be typed on the command line: a flag, or a value that needs none."""

    option: str
    """as it is typed, empty for a value that needs no flag"""
    help: str
    takes: Literal["nothing", "one", "many"]
    values: tuple[str, ...] = ()
    """that there are; others may be possible, too"""


class HelpShown(Exception):
    """The help was asked for and is printed: nothing else is to be done."""


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong by InputError and leaves every check of a value to the configuration."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self._flags: dict[str, Flag] = {}

    def add_flag(self, flag: Flag) -> None:
        """Adds a flag whose value is missing, not a default, where it is not given."""
        dest = ".".join(flag.path)
        self._flags[dest] = flag
        options: dict[str, Any] = {"dest": dest, "help": flag.help.replace("%", "%%"), "default": argparse.SUPPRESS}
        kind: dict[str, Any] = {"metavar": flag.metavar, "nargs": "+" if flag.many else None}
        if flag.switch:
            kind = {"action": argparse.BooleanOptionalAction}
        if flag.mapping:
            kind["action"] = "extend"  # a flag that is given twice adds names, and drops none
        self.add_argument(flag.option, **kind, **options)
        for path in flag.old_paths:
            # Under its own destination, so that the configuration sees, and says, which name was used.
            self._flags[".".join(path)] = replace(flag, path=path)
            self.add_argument(option(path), **kind, **options | {"dest": ".".join(path), "help": argparse.SUPPRESS})

    def offers(self) -> Iterator[Offer]:
        """Yields what can be typed, for completion; former names of flags are left out."""
        for action in self._actions:
            if action.help == argparse.SUPPRESS:
                continue
            flag = self._flags.get(action.dest.removeprefix("_"))
            takes: Literal["nothing", "one", "many"] = "one" if action.nargs in (None, "?") else "nothing"
            takes = "many" if action.nargs == "+" else takes
            values = flag.choices() if flag is not None and takes != "nothing" else ()
            for option in [text for text in action.option_strings if text.startswith("--")] or [""]:
                yield Offer(option, (action.help or "").replace("%%", "%"), takes, values)

    def parse(self, arguments: list[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
        """Returns what was given: the command's own options, and the fields as a nested dictionary.

        Raises:
            InputError: a flag is not known or lacks its value.
        """
        arguments, inner = self._inner_options(arguments)
        known, unknown = self.parse_known_args(arguments)
        if unknown:
            option = unknown[0].partition("=")[0]
            close = difflib.get_close_matches(option.replace("_", "-"), self._option_string_actions, 1, 0.6)
            hint = f"did you mean {close[0]}? " if close else ""
            word = "flag" if option.startswith("-") else "argument"
            raise InputError(f"{word} {option!r} is not known; {hint}`{self.prog} --help` lists all")
        values: dict[str, Any] = {}
        for dest, flag in self._flags.items():
            given = getattr(known, dest, None)
            if flag.mapping and flag.option in inner:
                given = [*(given or []), *inner[flag.option]]
            if given is not None:
                put(values, flag.path, flag.read(given) if flag.many else as_data(given, flag.option, flag.text))
        return known, values

    def _inner_options(self, arguments: list[str]) -> tuple[list[str], dict[str, list[str]]]:
        """Returns the arguments without those like `--options.depth 3`, which are the same as `--options depth=3`."""
        mappings = [flag.option for flag in self._flags.values() if flag.mapping]
        left: list[str] = []
        inner: dict[str, list[str]] = {}
        rest = iter(arguments)
        for argument in rest:
            option, equals, value = argument.partition("=")
            outer = next((name for name in mappings if option.startswith(f"{name}.")), None)
            if outer is None or option in self._option_string_actions:
                left.append(argument)
                continue
            value = value if equals else next(rest, "")
            if not value:
                raise InputError(f"{option} lacks its value; write {option}=VALUE")
            name = option.removeprefix(f"{outer}.").replace("-", "_")
            inner.setdefault(outer, []).append(f"{name}={value}")
        return left, inner

    def _print_message(self, message: str, file: Any = None) -> None:
        answer(message.rstrip("\n"))  # argparse would pass over what cannot be written

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Sets an entry of a nested dictionary, making the inner ones on the way."""
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Returns both dictionaries in one, `above` winning, inner dictionaries merged alike."""
    merged = dict(below)
    for name, value in above.items():
        inner = merged.get(name)
        merged[name] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def reach(values: dict[str, Any], path: tuple[str, ...]) -> Any:
    """Returns an entry of a nested dictionary, None where there is none."""
    held: Any = values
    for name in path:
        held = held.get(name) if isinstance(held, dict) else None
    return held


def as_data(text: Any, option: str, text_only: bool = False) -> Any:
    """Returns a value as it was typed, a list or mapping in brackets as YAML reads it.

    A number stays text, which its field reads: so a name may consist of digits.

    Raises:
        InputError: the brackets are no YAML.
    """
    if text_only or not isinstance(text, str) or text[:1] not in ("[", "{"):
        return text
    try:
        return read_yaml(text)[0]
    except YamlProblem as error:
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        wrong = "is no list or mapping" if error.problem == "is no YAML" else error.problem
        raise InputError(f"{shown!r} for {option} {wrong}; write it as in YAML: [32, 64]") from error


def as_list(values: list[str], option: str) -> list[Any]:
    """Returns the values of a flag that takes several, one by one or as one list in brackets; raises as `as_data`."""
    data = [as_data(value, option) for value in values]
    return data[0] if len(data) == 1 and isinstance(data[0], list) else data


def option(path: tuple[str, ...]) -> str:
    """Returns a field's flag as it is typed."""
    return "--" + ".".join(path).replace("_", "-")


def _renamed(model: type[BaseModel]) -> dict[str, str]:
    return dict(getattr(model, "renamed", {}))


def _flag(path: tuple[str, ...], field: FieldInfo, before: tuple[str, ...] = ()) -> Flag:
    kind = _without_none(field.annotation)
    mapping = get_origin(kind) is dict
    many = mapping or get_origin(kind) in (tuple, list, set)
    choices = "|".join(str(choice) for choice in get_args(kind)) if get_origin(kind) is Literal else ""
    text = " ".join((field.description or "").rstrip(".").split())
    default = field.default
    if default not in (None, PydanticUndefined, "", ()):
        shown = " ".join(default) if many else default
        text += f" (default {shown})"
    elif field.is_required():
        text += REQUIRED
    return Flag(
        path,
        text[:1].lower() + text[1:] if text[1:2].islower() else text,
        "NAME=VALUE" if mapping else choices or path[-1].upper(),
        many,
        kind is bool,
        mapping,
        before,
        kind is str,
        partial(_choices, field),
    )


def _choices(field: FieldInfo) -> tuple[str, ...]:
    listed = [name for data in field.metadata if isinstance(data, Choices) for name in (*data.names(), *data.more)]
    return tuple(listed or _literals(field.annotation))


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation) if choice is not None]
    return [choice for part in get_args(annotation) for choice in _literals(part)]


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation
