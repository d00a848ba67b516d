"""A flow run whose worker has died, and with it the pipe that its output goes to."""

import logging
import os
from types import MethodType

from rich.console import Console


def survive_lost_console() -> None:
    """Has Prefect's log lines go nowhere once the worker's pipe is broken: rich would end the process with status 1."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        console = getattr(handler, "console", None)
        if isinstance(console, Console):
            console.on_broken_pipe = MethodType(_go_silent, console)  # type: ignore[method-assign]


def _go_silent(console: Console) -> None:
    console.quiet = True
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
