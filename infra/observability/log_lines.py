"""What a log line looks like: structlog's processors over the records of the standard `logging`."""

import json
import logging
import math
import os
import socket
import sys
from functools import cache
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

from infra.observability.event_log import COPY, FIELDS, WORDS
from infra.observability.secrets import without_secrets


def formatter(mode: Literal["json", "pretty"]) -> logging.Formatter:
    """Returns what makes a line of a log record."""
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _add_fields,
    ]
    last: list[Processor]
    if mode == "json":
        common += [structlog.processors.TimeStamper(fmt="iso", utc=True), _add_place]
        last = [structlog.processors.format_exc_info, _json_line]
    else:
        common.append(structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False))
        # Not rich's tracebacks, which show the values of variables.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=common,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _without_secrets],
    )


def _add_fields(logger: object, method: str, event: EventDict) -> EventDict:
    """Adds the fields that a record of ours has, and takes away what only its handlers, or Ray, need."""
    fields = event.pop(FIELDS, None)
    hidden = {name for name in event if name in (COPY, WORDS) or name.startswith("_ray_")}
    shown = {name: value for name, value in event.items() if name not in hidden}
    return {**shown, **fields} if isinstance(fields, dict) else shown


def _add_place(logger: object, method: str, event: EventDict) -> EventDict:
    """Adds the machine and the process, without which lines of many workers cannot be told apart."""
    return {**event, "host": _host(), "pid": os.getpid()}


@cache
def _host() -> str:
    return socket.gethostname()


def _json_line(logger: object, method: str, event: EventDict) -> str:
    """Returns the event as one line of JSON; a value that JSON does not have becomes its `repr`."""
    return json.dumps({str(name): _plain(value) for name, value in event.items()}, allow_nan=False)


def _plain(value: Any) -> Any:
    """Returns a value that JSON has: itself, or what stands for it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    try:
        return repr(value)
    except Exception as fault:
        return f"<cannot be shown: {type(fault).__name__}>"


def _without_secrets(logger: object, method: str, line: Any) -> str:
    return without_secrets(str(line))
