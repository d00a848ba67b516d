"""What every command has besides its own options."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from flows.cli.sources import Sources
from flows.cli.terminal import answer
from flows.cluster import cluster_for
from flows.runs.process_record import recorded_process
from infra.errors import InfraError
from infra.progress import Progress, console_progress
from infra.storage import Store, open_store


@dataclass
class Context:
    """The command, its store, how it shows results, and whether work has begun (a failure then is no wrong input)."""

    command: str
    store_uri: str
    as_json: bool
    sources: Sources
    working: bool = False

    def store(self, *, writes: bool = True) -> Store:
        """Returns the store, proved to be usable."""
        try:
            store = open_store(self.store_uri)
            store.check(writes=writes)
        except InfraError as error:
            if origin := self.sources.origin(("store",)):
                error.add_note(f"the store is {self.store_uri!r}{origin}")
            raise
        return store

    def start(self, *parts: Any) -> "AbstractContextManager[None]":
        """Marks the end of all checks, and returns the connection to Ray that the parts ask for, kept on record."""
        self.working = True
        return self._recorded(parts)

    @contextmanager
    def _recorded(self, parts: tuple[Any, ...]) -> Iterator[None]:
        with recorded_process(self.store_uri, f"command {self.command}"), cluster_for(self.store_uri, *parts):
            yield

    def progress(self) -> Progress:
        """Returns what shows the phases, on stderr."""
        return console_progress()

    def show(self, result: dict[str, Any], lines: list[str]) -> None:
        """Prints the answer on stdout: one JSON object for a program, lines for people."""
        text = json.dumps(result, indent=1, default=str) if self.as_json else "\n".join(lines)
        answer(text)
