"""A value comes from its flag, variable, file or default, in this order; a wrong one is told with its origin."""

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from pydantic import Field, PositiveInt

from flows.cli.arguments import read_arguments
from flows.cli.flags import Part, flags
from flows.cli.sources import merge, variable
from jepa.core.config import Config
from jepa.core.errors import InputError


class Inner(Config):
    """A nested configuration."""

    depth: PositiveInt = 3
    """how deep"""


class Options(Config):
    """A command's options."""

    episodes: PositiveInt = 10
    """how many"""
    kinds: tuple[str, ...] = ("a", "b")
    """which"""
    inner: Inner = Inner()
    options: dict[str, Any] | None = None
    """anything"""
    part: Annotated[dict[str, Any], Part(Inner, ("hidden",))] = Field(default_factory=dict)
    label: str
    """what to call it"""


COMMAND = SimpleNamespace(Options=Options, EXAMPLE="jepa collect", POSITIONAL="label")


def read(*arguments: str) -> tuple[Options, str]:
    options, _, shared = read_arguments("collect", "a command", COMMAND, list(arguments))
    assert isinstance(options, Options)
    return options, shared.store


def test_every_source_gives_way_to_the_stronger_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file.yaml"
    assert read("x")[0].episodes == 10
    file.write_text("episodes: 20\nkinds: [c]\ninner: {depth: 7}\nstore: elsewhere\n")
    assert read("x", "--config", str(file)) == (
        Options(episodes=20, kinds=("c",), inner=Inner(depth=7), label="x"),
        "elsewhere",
    )
    monkeypatch.setenv("JEPA_EPISODES", "30")
    monkeypatch.setenv("JEPA_INNER__DEPTH", "8")
    options, _ = read("x", "--config", str(file))
    assert (options.episodes, options.kinds, options.inner.depth) == (30, ("c",), 8)
    options, _ = read("x", "--config", str(file), "--episodes", "40", "--inner.depth", "9", "--kinds", "d", "e")
    assert (options.episodes, options.kinds, options.inner.depth) == (40, ("d", "e"), 9)


def test_lists_in_variables_and_the_store_as_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_KINDS", "x, y,z")
    options, store = read("--label", "l", "--store", "s3://b/p")
    assert options.kinds == ("x", "y", "z") and store == "s3://b/p"


def test_mappings_are_names_with_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_OPTIONS", "a=1,b.c=x=y")
    assert read("x")[0].options == {"a": "1", "b": {"c": "x=y"}}
    options, _ = read("x", "--options", "b.c=2", "b.d=3", "e=")
    assert options.options == {"a": "1", "b": {"c": "2", "d": "3"}, "e": ""}
    for text, sentence in (("weights", "'weights' for --options is not NAME=VALUE"), ("=1", "'=1' for --options")):
        with pytest.raises(InputError, match=sentence):
            read("x", "--options", text)
    with pytest.raises(InputError, match=r"'a\.b=2' for --options goes into what is a value already"):
        read("x", "--options", "a=1", "a.b=2")


def test_parts_become_dotted_flags() -> None:
    assert [flag.option for flag in flags(Options)] == [
        "--episodes",
        "--kinds",
        "--inner.depth",
        "--options",
        "--part.depth",
        "--label",
    ]
    assert read("x", "--part.depth", "5")[0].part == {"depth": "5"}
    assert variable(("part", "depth")) == "JEPA_PART__DEPTH"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x", "--episodes", "-3"], "episodes is '-3' (from flag --episodes); it should be greater than 0"),
        (
            ["x", "--inner.depth", "deep"],
            "inner.depth is 'deep' (from flag --inner.depth); it should be a valid integer",
        ),
        (["x", "--episods", "3"], "flag '--episods' is not known; did you mean --episodes?"),
        (["x", "--episodes"], "argument --episodes: expected one argument; see `jepa collect --help`"),
        ([], "label is missing; give --label"),
        (["x", "y"], "argument 'y' is not known"),
        (["x", "--store", ""], "store is '' (from flag --store)"),
    ],
)
def test_a_wrong_flag_is_one_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("episode: 3", "key 'episode' (from FILE) is not known; did you mean 'episodes'?"),
        ("inner: {dept: 3}", "key 'inner.dept' (from FILE) is not known; did you mean 'depth'?"),
        ("episodes: many", "episodes is 'many' (from FILE); it should be a valid integer"),
        ("episodes: 1.5", "episodes is 1.5 (from FILE); it should be a valid integer"),
        ("inner: 3", "inner is 3 (from FILE); it should be a valid dictionary"),
        ("- 1", "config file 'FILE' holds a list"),
        ("a: [1", "config file 'FILE' is no YAML (line"),
    ],
)
def test_a_wrong_file_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read("x", "--config", str(file))
    assert str(caught.value).startswith(sentence.replace("FILE", str(file)))


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"'nowhere\.yaml' cannot be read: no such file or directory"):
        read("x", "--config", "nowhere.yaml")


def test_a_wrong_variable_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_EPISODES", "0")
    with pytest.raises(
        InputError, match=r"episodes is '0' \(from variable JEPA_EPISODES\); it should be greater than 0"
    ):
        read("x")


def test_a_variable_of_no_command_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_EPISODEZ", "3")
    with pytest.raises(InputError, match="variable JEPA_EPISODEZ belongs to no flag"):
        read("x")


def test_a_variable_of_another_command_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_PRETRAIN__STEPS", "3")
    assert read("x")[0].label == "x"


def test_merging_keeps_what_is_not_overridden() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "e": 4}) == {"a": {"b": 9, "c": 2}, "d": 3, "e": 4}
    assert merge({"a": {"b": 1}}, {"a": "text"}) == {"a": "text"}
