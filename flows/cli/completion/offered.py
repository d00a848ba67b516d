"""What can be typed after `jepa`: the commands, their flags, and the values that are known without a store."""

import re
from dataclasses import dataclass

from flows.cli.arguments import command_parser
from flows.cli.commands import SUMMARIES, load_command
from flows.cli.flags import Offer

PLAIN = re.compile(r"[\w.+/-]+")
"""Values that no shell needs to quote; others are not offered."""


@dataclass(frozen=True)
class OfferedCommand:
    """A command with what can be typed after it."""

    name: str
    summary: str
    flags: tuple[Offer, ...]
    values: tuple[str, ...]
    """of the argument that needs no flag"""
    takes_argument: bool


def offered_commands() -> list[OfferedCommand]:
    """Returns all commands; each one's module is imported for it."""
    return [_offered(name, summary) for name, summary in SUMMARIES.items()]


def known_values(commands: list[OfferedCommand]) -> list[tuple[str, str]]:
    """Returns what can follow `<command> <flag>`, or `<command> argument`: one or many, and the known ones."""
    found = []
    for one in commands:
        if one.takes_argument:
            found.append((f"{one.name} argument", " ".join(("one", *one.values))))
        taking = (flag for flag in one.flags if flag.takes != "nothing")
        found += [(f"{one.name} {flag.option}", " ".join((flag.takes, *plain(flag.values)))) for flag in taking]
    return found


def plain(values: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the values that need no quotes."""
    return tuple(value for value in values if PLAIN.fullmatch(value))


def _offered(name: str, summary: str) -> OfferedCommand:
    offers = list(command_parser(name, summary, load_command(name)).offers())
    arguments = [offer for offer in offers if not offer.option]
    return OfferedCommand(
        name,
        summary,
        tuple(offer for offer in offers if offer.option),
        plain(arguments[0].values) if arguments else (),
        bool(arguments),
    )
