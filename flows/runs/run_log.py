"""What of our own lines belongs into the log of a Prefect run: progress, warnings, retries and failures."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from infra.observability.event_log import COPY, OURS, WORDS, bound
from infra.observability.secrets import without_secrets
from infra.progress import LineSink, PhaseState

LINE_SECONDS = 15.0
"""Least time between two lines of progress: the artifact moves faster, the log stays."""


@contextmanager
def lines_in_run_log() -> Iterator[None]:
    """Passes the lines of our own loggers, from INFO on, to the log of the flow run, for the time of a block.

    All lines of that time say in other logs which flow run they belong to.
    """
    try:
        handler = _RunLogHandler(get_run_logger())
    except MissingContextError:
        yield
        return
    loggers = [logging.getLogger(name) for name in OURS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        with bound(flow_run=str(flow_run.id)):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


class RunLogSink(LineSink):
    """Lines of progress in the log of the run."""

    def __init__(self, interval: float = LINE_SECONDS) -> None:
        super().__init__(interval=interval)
        self._logger: Any = get_run_logger()

    def end(self, phase: PhaseState, failed: bool) -> None:
        level = logging.WARNING if failed else logging.INFO
        self._logger.log(level, phase.text() + (", stopped" if failed else ", done"), extra={COPY: True})

    def _print(self, text: str) -> None:
        self._seen()
        self._logger.info(text, extra={COPY: True})


class _RunLogHandler(logging.Handler):
    """Gives each record to the run's logger, which knows its run in whatever thread that is."""

    def __init__(self, logger: Any) -> None:
        super().__init__(logging.INFO)
        self._logger = logger
        self._plain = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text, words = record.getMessage(), getattr(record, WORDS, None)
            if record.exc_info:
                text += f"\n{self._plain.formatException(record.exc_info)}"
            level = record.levelno if words is None else logging.WARNING
            # The server keeps it, and shows it to everybody who reaches its page.
            self._logger.log(level, without_secrets(f"{text}\n{words or ''}".rstrip()), extra={COPY: True})
        except Exception:
            self.handleError(record)
