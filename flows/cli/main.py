"""The `jepa` command line: finds the command, builds its configuration, runs it, and reports failures in a sentence."""

import os
import sys
import traceback
from typing import TYPE_CHECKING

from flows.cli.commands import GROUPS, SUMMARIES, load_command
from flows.cli.flags import HelpShown
from flows.cli.terminal import AnswerError, answer, prepare, say
from infra.errors import AddressError, InfraError, Interrupted
from infra.observability.event_log import configure_logging
from jepa.core.errors import InputError

if TYPE_CHECKING:
    from flows.cli.commands.context import Context

WRONG_INPUT, FAILED, INTERRUPTED = 2, 1, 130


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 the work failed, 2 the input or its surroundings are wrong, 130 interrupted.
    """
    prepare()
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = bool(os.environ.get("JEPA_DEBUG"))
    context: list[Context] = []
    try:
        configure_logging()
        if not arguments or arguments[0] in ("-h", "--help"):
            answer(overview())
            return 0 if arguments else WRONG_INPUT
        name = "version" if arguments[0] == "--version" else arguments[0]
        return run_command(name, arguments[1:], context)
    except HelpShown:
        return 0
    except Interrupted as error:
        return _complain(str(error), INTERRUPTED, debug)
    except (KeyboardInterrupt, SystemExit):  # Ray turns a SIGTERM into the latter
        return _complain("interrupted; the same command goes on from what is done", INTERRUPTED, debug)
    except InputError as error:
        return _complain(str(error), WRONG_INPUT, debug)
    except AnswerError as error:
        return _complain(str(error), FAILED, debug)
    except AddressError as error:
        return _complain(_with_log(error), WRONG_INPUT, debug)
    except InfraError as error:
        return _complain(_with_log(error), FAILED if context and context[0].working else WRONG_INPUT, debug)
    except Exception as error:
        return _complain(f"{type(error).__name__}: {_with_log(error)} (JEPA_DEBUG=1 shows where)", FAILED, debug)


def overview() -> str:
    """Returns the help of `jepa` itself; nothing heavy is imported for it."""
    commands = "\n\n".join(
        "\n".join([f"{title}:", *(f"  {name:<11} {summary}" for name, summary in group.items())])
        for title, group in GROUPS.items()
    )
    return (
        "usage: jepa COMMAND [flags]\n\nFrom no data to a judged world model.\n\n"
        f"commands:\n\n{commands}\n\n"
        "Every command has --help, --store, --config, --import and --json. A value is taken from its flag, else from\n"
        "its variable (JEPA_EPISODES for --episodes), else from the --config file, else it is the default."
    )


def run_command(name: str, arguments: list[str], opened: "list[Context]") -> int:
    """Runs the command `name`; its context is put into `opened` as soon as there is one.

    Raises:
        InputError: the command is not known, or what it was given is wrong.
    """
    if name not in SUMMARIES:
        raise InputError(f"command {name!r} is not known; choose one of: {', '.join(SUMMARIES)}")
    from flows.cli.arguments import read_arguments
    from flows.cli.commands.context import Context

    command = load_command(name)
    options, sources, shared = read_arguments(name, SUMMARIES[name], command, arguments)
    context = Context(name, shared.store, shared.json_answer, sources)
    opened.append(context)
    if shared.submit:
        from flows.cli.submission import submit

        return submit(name, command.what_it_makes(options, context), context)
    return int(command.execute(options, context))


def _with_log(error: Exception) -> str:
    """Returns the sentence of an error with its notes, which say where the log of what failed is."""
    return "; ".join([str(error), *getattr(error, "__notes__", ())])


def _complain(sentence: str, status: int, debug: bool) -> int:
    if debug:
        say(traceback.format_exc())
    say(f"jepa: {' '.join(sentence.split())}")
    return status


if __name__ == "__main__":
    sys.exit(main())
