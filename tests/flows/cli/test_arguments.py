"""A value comes from its flag, variable, file or default, in this order; modules to import are added up."""

import os
import sys
from pathlib import Path

import pytest

from jepa.core.errors import InputError
from tests.flows.cli.options import Inner, Options, read


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
    options, _ = read("x", "--options", "encoder_options.channels=[32,64,64]", "names={a: [x], b: 1.5}", "f=12")
    assert options.options == {
        "a": "1",
        "b": {"c": "x=y"},
        "encoder_options": {"channels": [32, 64, 64]},
        "names": {"a": ["x"], "b": 1.5},
        "f": "12",
    }
    for text, sentence in (("weights", "'weights' for --options is not NAME=VALUE"), ("=1", "'=1' for --options")):
        with pytest.raises(InputError, match=sentence):
            read("x", "--options", text)
    with pytest.raises(InputError, match=r"'a\.b=2' for --options goes into what is a value already"):
        read("x", "--options", "a=1", "a.b=2")


def test_an_option_of_a_mapping_is_a_flag_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _ = read("--label", "x", "--options.encoder-options.channels=[32,64]", "--options.depth", "3")
    assert options.options == {"encoder_options": {"channels": [32, 64]}, "depth": "3"}
    options, _ = read("x", "--options", "a.b=1", "--options.a.c", "2", "--part.depth", "5")
    assert options.options == {"a": {"b": "1", "c": "2"}} and options.part == {"depth": "5"}
    with pytest.raises(InputError, match=r"--options\.depth lacks its value"):
        read("x", "--options.depth")
    with pytest.raises(InputError, match=r"flag .--option\.depth. is not known"):
        read("x", "--option.depth", "3")


@pytest.mark.parametrize("arguments", [["--kinds", "[c, d]"], ["--kinds=[c,d]"], ["--kinds", "c", "d"]])
def test_a_list_is_given_in_brackets_or_one_by_one(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("x", *arguments)[0].kinds == ("c", "d")
    monkeypatch.setenv("JEPA_KINDS", "[c, d]")
    monkeypatch.setenv("JEPA_OPTIONS", "a.b=[1, 2], c={d: 3} e=f")
    options, _ = read("x")
    assert options.kinds == ("c", "d") and options.options == {"a": {"b": [1, 2]}, "c": {"d": 3}, "e": "f"}


def test_brackets_stay_text_where_text_is_wanted_and_are_closed_elsewhere() -> None:
    assert read("--label", "[draft] a")[0].label == "[draft] a"
    with pytest.raises(InputError, match=r"'\[1, 2' for --options a is no list or mapping; write it as in YAML"):
        read("x", "--options", "a=[1, 2")


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


def test_a_variable_of_no_command_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_EPISODEZ", "3")
    with pytest.raises(InputError, match="variable JEPA_EPISODEZ belongs to no flag"):
        read("x")


def test_a_variable_of_another_command_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_PRETRAIN__STEPS", "3")
    assert read("x")[0].label == "x"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four modules in the current folder; what a test imports of them is forgotten."""
    names = [f"plugin_{letter}_of_test_arguments" for letter in "abcd"]
    for name in names:
        (tmp_path / f"{name}.py").write_text("")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr("jepa.core.registries.plugins._imported", set())
    monkeypatch.delenv("JEPA_IMPORT", raising=False)
    return names


def test_modules_of_flags_variable_and_file_are_imported_and_passed_on(
    modules: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c, d = modules
    (tmp_path / "file.yaml").write_text(f"import: [{c}]\nepisodes: 4\n")
    monkeypatch.setenv("JEPA_IMPORT", d)
    assert read("x", "--import", a, "--import", f"{b},{a}", "--config", "file.yaml")[0].episodes == 4
    assert set(modules) <= set(sys.modules)
    assert os.environ["JEPA_IMPORT"].split(",") == [d, c, a, b]


def test_one_module_in_a_file_needs_no_list(
    modules: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEPA_IMPORT", "")  # set, so that it is put back
    (tmp_path / "file.yaml").write_text(f"import: {modules[0]}\n")
    read("x", "--config", "file.yaml")
    assert modules[0] in sys.modules
    (tmp_path / "file.yaml").write_text("import: {a: 1}\n")
    with pytest.raises(InputError, match=r"import is \{'a': 1\} \(from file.yaml\); write the name of a module"):
        read("x", "--config", "file.yaml")


def test_a_module_that_fails_is_one_sentence(
    modules: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEPA_IMPORT", "")
    (tmp_path / f"{modules[0]}.py").write_text("1 / 0")
    with pytest.raises(InputError, match=rf"module '{modules[0]}' of --import cannot be imported \(ZeroDivisionError"):
        read("x", "--import", modules[0])
