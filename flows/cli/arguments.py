"""From a command's arguments, variables and file to its checked options."""

import argparse
from typing import Any, NamedTuple, get_origin

from pydantic import BaseModel, Field

from flows.cli.commands import SUMMARIES, load_command
from flows.cli.flags import Flag, Parser, flags
from flows.cli.job_file import read_job_file
from flows.cli.sources import Sources, Values, read_environment, read_file
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.registries.plugins import request_plugins


class SharedOptions(Config):
    """What every command takes."""

    store: str = Field("runs/", min_length=1)
    """folder, or s3://bucket/prefix; the server is AWS's or that of AWS_ENDPOINT_URL"""


class Shared(NamedTuple):
    """The shared options as read."""

    store: str
    json_answer: bool
    submit: bool


def read_arguments(name: str, summary: str, command: Any, arguments: list[str]) -> tuple[BaseModel, Sources, Shared]:
    """Returns the options of a command, where their values came from, and what all commands share.

    Args:
        name: of the command.
        summary: its first line of help.
        command: its module, with `Options`, `EXAMPLE` and perhaps `POSITIONAL`, a field that needs no flag.
        arguments: what was typed after the name.

    Raises:
        InputError: a key is not known, a value is wrong or missing, or a module of --import cannot be imported.
    """
    shared_flags, own_flags = list(flags(SharedOptions)), list(flags(command.Options))
    parser = command_parser(name, summary, command)
    known, typed = parser.parse(arguments)
    positional = getattr(command, "POSITIONAL", None)
    if positional and (value := getattr(known, f"_{positional}", None)):
        typed.setdefault(positional, value)
    if getattr(known, "job", None) is None:
        sources = _sources(name, known.config, typed, [*shared_flags, *own_flags])
        modules = _modules(known.imports, sources)
    else:
        if typed or known.config is not None or known.imports:
            raise InputError("--job holds all values; leave the other flags out")
        sources, modules = read_job_file(known.job, name)
    # Before any value is checked: what it names may be registered by one of these modules.
    request_plugins(modules)
    values = sources.merged()
    shared = sources.build(
        SharedOptions, {field: values.pop(field) for field in SharedOptions.model_fields if field in values}
    )
    options: BaseModel = sources.build(command.Options, values)
    return options, sources, Shared(shared.store, known.json, getattr(known, "submit", False))


def _sources(command: str, config: str | None, typed: Values, every: list[Flag]) -> Sources:
    """Returns the values of flags, variables and file.

    Raises:
        InputError: a variable belongs to no flag, or the file cannot be read.
    """
    sources = Sources(command, flags=typed, path=config or "")
    sources.environment, foreign = read_environment(every)
    if foreign:
        _check_foreign(foreign)
    if config is not None:
        sources.file, sources.lines = read_file(config, command)
    return sources


def can_be_submitted(command: Any) -> bool:
    """Returns whether a command can run as a job of a cluster: it then says what it makes."""
    return hasattr(command, "what_it_makes")


def command_parser(name: str, summary: str, command: Any) -> Parser:
    """Returns the parser of a command, whose flags are its own options and those that all commands share."""
    parser = Parser(prog=f"jepa {name}", description=summary, epilog=f"example:\n  {command.EXAMPLE}")
    if positional := getattr(command, "POSITIONAL", None):
        several = get_origin(command.Options.model_fields[positional].annotation) is tuple
        nargs = "*" if several else "?"
        parser.add_argument(
            f"_{positional}", metavar=positional.upper(), nargs=nargs, help=f"the same as --{positional}"
        )
    for flag in (*flags(command.Options), *flags(SharedOptions)):
        parser.add_flag(flag)
    parser.add_argument(
        "--config", metavar="FILE.yaml", help="file with the same names as the flags; flags and JEPA_ variables win"
    )
    parser.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE",
        action="append",
        default=[],
        help="import a module first, here and in every worker: what it registers can then be chosen by name; "
        "may be given several times, also as JEPA_IMPORT=a,b and as `import: [a, b]` in the file",
    )
    if can_be_submitted(command):
        parser.add_argument(
            "--submit",
            action="store_true",
            help="run it as a job of the Ray cluster whose dashboard RAY_API_SERVER_ADDRESS names, and follow its log; "
            "given again it follows the job that runs already",
        )
        # What --submit has the cluster run.
        parser.add_argument("--job", metavar="FILE.yaml", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the answer as one JSON object on stdout")
    return parser


def _modules(typed: list[str], sources: Sources) -> list[str]:
    """Returns the modules that flags and the file name; the key `import` is taken out of the file's values."""
    named = sources.file.pop("import", [])
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(module, str) for module in named):
        raise InputError(f"import is {named!r} (from {sources.path}); write the name of a module, or a list of names")
    return [module.strip() for text in [*named, *typed] for module in text.split(",") if module.strip()]


def _check_foreign(variables: list[str]) -> None:
    """Refuses JEPA_ variables that belong to no command at all; another command's may well be set."""
    known: set[str] = set()
    for name in SUMMARIES:
        every = [*flags(SharedOptions), *flags(load_command(name).Options)]
        _, unknown = read_environment(every, dict.fromkeys(variables, ""))
        known |= set(variables) - set(unknown)
    for variable in variables:
        if variable not in known:
            raise InputError(f"variable {variable} belongs to no flag of jepa; correct its name or unset it")


__all__ = ["Shared", "SharedOptions", "Values", "command_parser", "read_arguments"]
