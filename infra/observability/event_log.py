"""Log lines with their context: pretty on a terminal, one JSON object a line where a program reads them.

The rooms log by the standard `logging`. A process that begins (a command, a flow run, a worker) calls
`configure_logging`; a job binds what its lines are about with `bound`, and `Context` carries that to its workers.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal

from infra.errors import InfraError
from infra.settings import LOG_VARIABLE

OURS = ("jepa", "pipelines", "infra", "flows")
"""Loggers of this project."""

EVENTS = logging.getLogger("events")
"""What the machinery has to say to programs alone: units and jobs that begin and end."""

FIELDS = "fields"
"""Attribute of a log record: more fields of its line."""
WORDS = "worker_words"
"""Attribute of a log record: what a worker said, or the traceback of its failure; who shows the record may show it."""
COPY = "copy_of_a_record"
"""Attribute of a record that says again what another one said."""

Mode = Literal["json", "pretty", "plain"]

_events_shown = False


def log_mode(in_background: bool = False) -> Mode:
    """Returns how this process logs.

    `auto` is `pretty` where stderr is a terminal, `json` in a process whose stderr nobody watches, and else `plain`:
    sentences and progress lines of a command whose output goes to a file or a pipe stay as they are.

    Args:
        in_background: nobody watches, e.g. in a worker of a cluster.

    Raises:
        InfraError: the variable has another value.
    """
    setting = os.environ.get(LOG_VARIABLE) or "auto"
    if setting == "json" or setting == "pretty":
        return "json" if setting == "json" else "pretty"
    if setting != "auto":
        raise InfraError(f"{LOG_VARIABLE} is {setting!r}; set it to json, pretty or auto, or unset it")
    if in_background:
        return "json"
    return "pretty" if sys.stderr is not None and sys.stderr.isatty() else "plain"


def configure_logging(in_background: bool = False) -> None:
    """Has this process log as `log_mode` says; called again, it takes the newest answer.

    Raises:
        InfraError: JEPA_LOG has an unknown value.
    """
    global _events_shown
    mode, root = log_mode(in_background), logging.getLogger()
    _events_shown = False
    for handler in [handler for handler in root.handlers if isinstance(handler, EventHandler)]:
        root.removeHandler(handler)
    if mode == "plain":
        return
    if mode == "json":
        # Others on the same stderr, such as Prefect's, would say everything a second time.
        for other in [handler for handler in root.handlers if _is_console(handler)]:
            root.removeHandler(other)
        logging.captureWarnings(True)
    from infra.observability.log_lines import formatter

    quiet = mode == "pretty" and os.environ.get(LOG_VARIABLE) != "pretty"
    handler = EventHandler(json=mode == "json")
    handler.setFormatter(formatter(mode))
    root.addHandler(handler)
    for name in (*OURS, EVENTS.name):
        logging.getLogger(name).setLevel(logging.WARNING if quiet else logging.INFO)
    _events_shown = not quiet


def logs_json() -> bool:
    """Returns whether stderr of this process is to hold JSON lines and nothing else."""
    return any(isinstance(handler, EventHandler) and handler.json for handler in logging.getLogger().handlers)


def event(name: str, level: int = logging.INFO, /, **fields: object) -> None:
    """Logs that something happened, with its fields, where this process has a log that shows events."""
    if _events_shown:
        EVENTS.log(level, name, extra={FIELDS: fields})


@contextmanager
def bound(**fields: str | None) -> Iterator[None]:
    """Gives all log lines of this thread these fields, for the time of a block; None gives none."""
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(**{name: value for name, value in fields.items() if value is not None}):
        yield


def context() -> Mapping[str, str]:
    """Returns the fields that are bound here, to be bound again in a worker."""
    from structlog.contextvars import get_contextvars

    return {name: str(value) for name, value in get_contextvars().items()}


class EventHandler(logging.Handler):
    """Writes lines to what is stderr at that time."""

    def __init__(self, json: bool) -> None:
        """Takes whether lines are JSON: they have those of Prefect itself, too, which a command hides from people."""
        super().__init__()
        self.json = json

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a record is shown: no copy of one that was shown, nor one of Prefect's that is not wanted."""
        if getattr(record, COPY, False):
            return False
        return self.json or record.name.partition(".")[0] != "prefect"

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        # In one piece, for other processes write to the same file; whoever reads it may be gone.
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def _is_console(handler: logging.Handler) -> bool:
    stream = getattr(handler, "stream", None)
    return stream is not None and stream in (sys.stderr, sys.__stderr__, sys.stdout, sys.__stdout__)
