"""YAML that people write, read strictly: a key given twice, a date that there is not, or a deep nest is a mistake."""

from collections.abc import Hashable
from typing import Any

import yaml

MOST_DEPTH = 50
"""Levels of lists and mappings; no configuration of ours has ten."""

MOST_VALUES = 100_000

Path = tuple[str, ...]


class YamlProblem(ValueError):
    """What is wrong with a text, and in which line, counted from 1; None where no line is to blame."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line

    @property
    def place(self) -> str:
        """Returns the line for people, empty where there is none."""
        return "" if self.line is None else f" (line {self.line})"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without the values that it takes in silence."""

    depth = 0

    def _next_event(self) -> yaml.Event:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        return event

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise YamlProblem(f"is nested deeper than {MOST_DEPTH} levels", _line(self._next_event()))
        try:
            node: yaml.Node | None = super().compose_node(parent, index)
            return node
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise YamlProblem(f"gives key {key.value!r} twice", _line(key))
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (YamlProblem, yaml.YAMLError):
            raise
        except ValueError as error:  # of a date such as 2024-13-45, or a number that is none
            raise YamlProblem(
                f"holds {getattr(node, 'value', '')!r}, which is no value ({error})", _line(node)
            ) from error


def read_yaml(text: str) -> tuple[Any, dict[Path, int]]:
    """Returns what a text says, and the line of each key by its path.

    Raises:
        YamlProblem: it is no YAML, gives a key twice, is nested too deep, or holds a value that is none.
    """
    loader = None
    try:
        loader = _Loader(text)  # refuses characters that YAML does not have
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[Path, int] = {}
        _note_lines(node, (), lines, [MOST_VALUES])
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise YamlProblem("is no YAML", None if mark is None else mark.line + 1) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, YamlProblem):
            raise
        raise YamlProblem("is no YAML") from error
    finally:
        if loader is not None:
            loader.dispose()


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], budget: list[int]) -> None:
    """Notes the line of each key; aliases count as often as they are used, and may lead back to themselves."""
    budget[0] -= 1
    if budget[0] < 0 or len(path) > MOST_DEPTH:
        raise YamlProblem(f"holds more than {MOST_VALUES} values by its aliases (*name)", _line(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            lines[inner] = _line(key)
            _note_lines(value, inner, lines, budget)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_lines(value, (*path, str(number)), lines, budget)


def _line(place: yaml.Node | yaml.Event) -> int:
    mark = place.start_mark
    return 1 if mark is None else int(mark.line) + 1
