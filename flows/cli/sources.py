"""Where a configuration's values come from: flag before environment before file before default."""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from flows.cli.flags import Flag, as_data, merge, put
from jepa.core.errors import InputError
from jepa.core.input.files import read_file as read_bytes
from jepa.core.input.yaml_text import YamlProblem, read_yaml

PREFIX = "JEPA_"
RESERVED = {"JEPA_DEBUG", "JEPA_IMPORT", "JEPA_LOG"}
"""Variables of ours that are no field of a configuration."""

Model = TypeVar("Model", bound=BaseModel)
Values = dict[str, Any]
Lines = dict[tuple[str, ...], int]


@dataclass
class Sources:
    """The values of one command by where they come from."""

    command: str
    file: Values = field(default_factory=dict)
    environment: Values = field(default_factory=dict)
    flags: Values = field(default_factory=dict)
    path: str = ""
    lines: Lines = field(default_factory=dict)
    """of the file's values"""

    def merged(self) -> Values:
        """Returns all values, each from the strongest source that has it."""
        return merge(merge(self.file, self.environment), self.flags)

    def origin(self, path: tuple[str, ...]) -> str:
        """Returns the words for where a value comes from, empty where it is a default."""
        dotted = ".".join(path)
        if _has(self.flags, path):
            return f" (from flag --{dotted.replace('_', '-')})"
        if _has(self.environment, path):
            return f" (from variable {variable(path)})"
        if not _has(self.file, path):
            return ""
        line = f", line {self.lines[path]}" if path in self.lines else ""
        return f" (from {self.path}{line})"

    def build(self, model: type[Model], values: Values) -> Model:
        """Returns the configuration.

        Raises:
            InputError: in one sentence that names the field, the value, where it comes from and what would be right.
        """
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise InputError(self._sentence(error, model)) from error

    def build_over(self, model: type[Model], defaults: Values, values: Values) -> Model:
        """Returns the configuration of `values` over `defaults`; raises as `build` does."""
        return self.build(model, merge(defaults, values))

    def _sentence(self, error: ValidationError, model: type[BaseModel]) -> str:
        first = error.errors()[0]
        path = tuple(str(part) for part in first["loc"] if not isinstance(part, int))
        name, origin = ".".join(path), self.origin(path)
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        if first["type"] == "extra_forbidden":
            close = difflib.get_close_matches(path[-1], _names(model, path[:-1]), 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            return f"key {name!r}{origin} is not known; {hint}`jepa {self.command} --help` lists all{more}"
        if first["type"] == "missing":
            return f"{name} is missing; give --{name.replace('_', '-')}{more}"
        if first["type"] == "value_error":
            return f"{first['ctx']['error']}{origin}{more}"
        wanted = first["msg"].replace("Input should be", "it should be", 1)
        return f"{name} is {_short(first['input'])}{origin}; {wanted[:1].lower()}{wanted[1:]}{more}"


def read_file(path: str, command: str) -> tuple[Values, Lines]:
    """Returns the values of a YAML file, and the line of each by its path.

    Raises:
        InputError: it cannot be read, or is not a mapping of names to values.
    """
    if not path:
        raise InputError("--config is empty; name a file or leave it out")
    try:
        values, lines = read_yaml(read_bytes(f"config file {path!r}", path).decode())
    except YamlProblem as error:
        raise InputError(f"config file {path!r} {error.problem}{error.place}; correct it") from error
    except UnicodeDecodeError as error:
        raise InputError(f"config file {path!r} is no YAML; correct it") from error
    if values is not None and not isinstance(values, dict):
        raise InputError(
            f"config file {path!r} holds a {type(values).__name__}; write `name: value` lines as {command} takes them"
        )
    return values or {}, lines


def read_environment(flags: list[Flag], environment: Mapping[str, str] | None = None) -> tuple[Values, list[str]]:
    """Returns the values of the JEPA_ variables, and the variables that belong to no flag of the command."""
    by_name = {variable(path): (path, flag) for flag in flags for path in (flag.path, *flag.old_paths)}
    values: Values = {}
    unknown = []
    for name, text in (os.environ if environment is None else environment).items():
        if not name.startswith(PREFIX) or name in RESERVED:
            continue
        if name not in by_name:
            unknown.append(name)
            continue
        path, flag = by_name[name]
        given = flag.read(_parts(text)) if flag.many else as_data(text, name, flag.text)
        put(values, path, given)
    return values, sorted(unknown)


def _parts(text: str) -> list[str]:
    """Returns what commas or spaces part, those in brackets aside."""
    return re.findall(r"(?:\[[^\]]*\]|\{[^}]*\}|[^,\s\[{])+", text)


def variable(path: tuple[str, ...]) -> str:
    """Returns the environment variable of a field, e.g. `JEPA_COLLECT__IMAGE_SIZE`."""
    return PREFIX + "__".join(path).upper()


def _has(values: Values, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(values, dict) or name not in values:
            return False
        values = values[name]
    return True


def _names(model: Any, path: tuple[str, ...]) -> list[str]:
    for name in path:
        model = model.model_fields[name].annotation if name in getattr(model, "model_fields", {}) else None
    return list(getattr(model, "model_fields", {}))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
