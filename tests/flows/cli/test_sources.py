"""A wrong value is named with where it comes from; files, variables and flags become one set of values."""

from itertools import pairwise
from pathlib import Path

import pytest

from flows.cli.flags import flags, merge
from flows.cli.sources import Sources, read_environment, variable
from jepa.core.errors import InputError
from tests.flows.cli.options import Options, read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("episode: 3", "key 'episode' (from FILE, line 1) is not known; did you mean 'episodes'?"),
        ("inner: {dept: 3}", "key 'inner.dept' (from FILE, line 1) is not known; did you mean 'depth'?"),
        ("episodes: many", "episodes is 'many' (from FILE, line 1); it should be a valid integer"),
        ("episodes: 1.5", "episodes is 1.5 (from FILE, line 1); it should be a valid integer"),
        ("inner: 3", "inner is 3 (from FILE, line 1); it should be a valid dictionary"),
        ("- 1", "config file 'FILE' holds a list"),
        ("episodes: 3\nepisodes: 4", "config file 'FILE' gives key 'episodes' twice (line 2); correct it"),
        ("inner:\n  depth: 1\n  depth: 2", "config file 'FILE' gives key 'depth' twice (line 3)"),
        ("# how many\nepisodes: true", "episodes is 'true' (from FILE, line 2); it should be a valid integer"),
        ("episodes: 1000000000000000000000", "episodes is 'about 2^69 (over 63 bits)' (from FILE, line 1); it should"),
        (
            "label: 2024-13-45",
            "config file 'FILE' holds '2024-13-45', which is no value (month must",
        ),
        ("label: " + "[" * 9000, "config file 'FILE' is nested deeper than 50 levels (line 1)"),
        ("inner: &a\n  depth: *a", "config file 'FILE' holds more than 100000 values by its aliases"),
        (
            "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefgh")),
            "config file 'FILE' holds more than 100000 values by its aliases",
        ),
        ("a: [1", "config file 'FILE' is no YAML (line"),
    ],
)
def test_a_wrong_file_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read("x", "--config", str(file))
    assert str(caught.value).startswith(sentence.replace("FILE", str(file)))


def test_an_empty_name_of_a_file_is_one_sentence() -> None:
    with pytest.raises(InputError, match="--config is empty; name a file or leave it out"):
        read("x", "--config", "")


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"'nowhere\.yaml' does not exist"):
        read("x", "--config", "nowhere.yaml")


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_EPISODES", "0")
    with pytest.raises(
        InputError, match=r"episodes is '0' \(from variable JEPA_EPISODES\); it should be greater than 0"
    ):
        read("x")


def test_merging_keeps_what_is_not_overridden() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "e": 4}) == {"a": {"b": 9, "c": 2}, "d": 3, "e": 4}
    assert merge({"a": {"b": 1}}, {"a": "text"}) == {"a": "text"}


def test_variables_are_named_after_fields() -> None:
    assert variable(("part", "depth")) == "JEPA_PART__DEPTH"
    own = {"JEPA_COUNT": "3", "JEPA_PART__DEPTH": "4", "JEPA_KINDS": "a,b c", "JEPA_DEBUG": "1", "JEPA_IMPORT": "m"}
    values, unknown = read_environment(list(flags(Options)), own | {"JEPA_OTHER": "5", "PATH": "/bin"})
    assert values == {"count": "3", "part": {"depth": "4"}, "kinds": ["a", "b", "c"]} and unknown == ["JEPA_OTHER"]


def test_the_origin_is_that_of_the_strongest_source() -> None:
    sources = Sources("collect", file={"a": 1, "b": 2, "c": {"d": 3}}, environment={"a": 4}, flags={"b": 5}, path="f")
    assert sources.merged() == {"a": 4, "b": 5, "c": {"d": 3}}
    assert [sources.origin(path) for path in (("a",), ("b",), ("c", "d"), ("e",))] == [
        " (from variable JEPA_A)",
        " (from flag --b)",
        " (from f)",
        "",
    ]
