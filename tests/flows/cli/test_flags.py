"""Each field of a configuration is a flag with the field's name, help and default."""

import pytest

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
