"""Each field of a configuration is a flag with the field's name, help and default."""

from typing import Any

import pytest

from flows.cli.commands import SUMMARIES, load_command
from flows.cli.flags import Flag, HelpShown, Parser, flags
from jepa.core.errors import InputError
from tests.flows.cli.options import Options, read

BY_OPTION = {flag.option: flag for flag in flags(Options)}


def test_nested_configurations_and_parts_have_dotted_names() -> None:
    assert list(BY_OPTION) == [
        "--episodes",
        "--kinds",
        "--inner.depth",
        "--options",
        "--part.depth",
        "--fast",
        "--mode",
        "--label",
    ]
    assert read("x", "--part.depth", "5")[0].part == {"depth": "5"}


def test_help_is_the_docstring_with_the_default() -> None:
    texts = {option: (flag.help, flag.metavar) for option, flag in BY_OPTION.items()}
    assert texts["--episodes"] == ("how many (default 10)", "EPISODES")
    assert texts["--kinds"] == ("which (default a b)", "KINDS")
    assert texts["--options"] == ("anything", "NAME=VALUE")
    assert texts["--mode"] == ("which way", "one|two")
    assert texts["--label"] == ("what to call it (required)", "LABEL")


def test_a_switch_takes_no_value() -> None:
    assert read("x", "--fast")[0].fast and not read("x", "--no-fast")[0].fast


def test_an_old_name_is_understood_and_not_shown(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert read("x", "--count", "7")[0].episodes == 7
    assert "count is called episodes now" in caplog.text
    with pytest.raises(HelpShown):
        read("--help")
    shown = capsys.readouterr().out
    assert "--episodes" in shown and "--count" not in shown and "100 % of the cost" in shown


def mappings() -> list[tuple[str, Flag]]:
    """Returns the flags of all commands that take NAME=VALUE, each with its command."""
    found = [(name, flag) for name in SUMMARIES for flag in flags(load_command(name).Options) if flag.mapping]
    return [*found, ("test", BY_OPTION["--options"])]


def test_a_name_is_given_once_to_any_flag_that_takes_names_with_values() -> None:
    found = mappings()
    assert {"--shift", "--grid", "--model-options", "--world-options"} <= {flag.option for _, flag in found}
    for command, flag in found:
        option = flag.option
        parser = Parser(prog=f"jepa {command}")
        parser.add_flag(flag)
        for given in (
            [option, "door=0.1", "door=0.15"],
            [option, "door=0.1", option, "door=0.15"],
            [option, "door=0.1", f"{option}.door", "0.15"],
        ):
            with pytest.raises(InputError, match=f"^door is given twice for {option}; "):
                parser.parse(given)
        values: Any = parser.parse([option, "door=0.1", option, "a.b=1", f"{option}.a.c=2"])[1]
        for name in flag.path:
            values = values[name]
        assert values == {"door": "0.1", "a": {"b": "1", "c": "2"}}, "a flag that is given twice adds names"


def test_a_flag_that_takes_several_values_of_a_name_says_how() -> None:
    shift = next(flag for _, flag in mappings() if flag.option == "--shift")
    for texts, sentence in (
        (["door=0.1", "door=0.15"], "door is given twice for --shift; write door=0.1,0.15"),
        (["door"], "'door' for --shift is not NAME=VALUE; write door=0.1,0.15 agent_radius=0.03"),
    ):
        with pytest.raises(InputError, match=f"^{sentence}$"):
            shift.read(texts)


def test_nothing_is_guessed() -> None:
    parser = Parser(prog="jepa test")
    parser.add_flag(Flag(("image_size",), "pixels", "N"))
    assert parser.parse(["--image-size", "3"])[1] == {"image_size": "3"}
    for wrong, sentence in [
        ("--image", "flag '--image' is not known"),
        ("--imagesize", "did you mean --image-size\\?"),
    ]:
        with pytest.raises(InputError, match=sentence):
            parser.parse([wrong, "3"])


def test_what_a_part_takes_from_the_others_is_not_called_required() -> None:
    from flows.cli.commands import load_command

    required = [flag.option for flag in flags(load_command("run").Options) if "(required)" in flag.help]
    assert required == []
    assert "(required)" in next(f.help for f in flags(load_command("pretrain").Options) if f.option == "--name")
