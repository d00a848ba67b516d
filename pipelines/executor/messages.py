"""What a unit of work says while it runs: its warnings and log records, kept beside what people see of them."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

LINES = 200
LINE_CHARACTERS = 2000


class Messages:
    """The first lines that an attempt said, and how many more there were; safe for many threads."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = 0
        self._lock = threading.Lock()

    @property
    def lines(self) -> list[str]:
        """The messages in order."""
        with self._lock:
            return [*self._lines, *([f"… and {self._more} more"] if self._more else [])]

    def add(self, text: str) -> None:
        """Keeps a message, unless there are too many already."""
        with self._lock:
            if len(self._lines) < LINES:
                self._lines.append(text[:LINE_CHARACTERS])
            else:
                self._more += 1


@contextmanager
def captured_messages(messages: Messages) -> Iterator[None]:
    """Keeps the warnings and log records of the block; they are shown as they would be without us."""
    handler = _Handler(messages)
    root, show = logging.getLogger(), warnings.showwarning

    def keep_and_show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        messages.add(f"{category.__name__}: {message} ({filename}:{lineno})")
        show(message, category, filename, lineno, file, line)

    root.addHandler(handler)
    warnings.showwarning = keep_and_show
    try:
        yield
    finally:
        root.removeHandler(handler)
        # Whoever has replaced it since then keeps his own.
        if warnings.showwarning is keep_and_show:
            warnings.showwarning = show


class _Handler(logging.Handler):
    """Keeps log records."""

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "py.warnings":
            return  # a warning that was kept as one, on its way to a log
        try:
            self._messages.add(self.format(record))
        except Exception:
            self.handleError(record)
        # Where nobody has configured logging, Python prints warnings on stderr, but only while no handler is there.
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and self._is_first() and not self._others(record.name):
            last.handle(record)

    def _is_first(self) -> bool:
        """Returns whether this is the first of several handlers of ours: jobs may run in several threads."""
        return next(handler for handler in logging.getLogger().handlers if isinstance(handler, _Handler)) is self

    def _others(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(not isinstance(handler, _Handler) for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False
