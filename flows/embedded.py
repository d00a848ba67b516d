"""What a command starts for itself where nobody gave it one: Prefect's server, an S3 server."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from infra.child import child_server
from infra.environment import applied_environment
from infra.errors import InfraError
from infra.s3_server import serve_s3
from infra.storage import open_store

EMBEDDED_S3 = "s3"
"""The store `s3` (and no more) is a server on loopback that lives as long as the command."""

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # The command says a failure in one sentence; Prefect's trace of it is on Prefect's page only.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


LEAVING = {"PREFECT_LOGGING_TO_API_ENABLED": "false"}
"""Prefect sends its last log lines as the process ends; for a server that is gone by then it waits over a minute."""


@contextmanager
def embedded_prefect() -> Iterator[None]:
    """Lets a flow run in this process: against PREFECT_API_URL if that is set, else with a server of its own.

    To be entered before Prefect is imported, which reads its settings then.

    Raises:
        InfraError: nobody answers at PREFECT_API_URL.
    """
    url = os.environ.get("PREFECT_API_URL")
    if url:
        try:
            urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=5).close()
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise InfraError(
                f"no Prefect server answers at {url!r}; correct PREFECT_API_URL, or unset it for an embedded one"
            ) from error
    quiet = QUIET if url else QUIET | LEAVING
    with applied_environment({name: os.environ.get(name, value) for name, value in quiet.items()}):
        if url:
            yield
            return
        # Prefect would start the same server itself, but one that Ctrl-C in a terminal ends before the flow does.
        with (
            child_server("flows.prefect_server", "the embedded Prefect server") as embedded,
            applied_environment({"PREFECT_API_URL": embedded}),
        ):
            yield


@contextmanager
def embedded_store(uri: str, folder: str = "runs") -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yields the store's address and a function that gives the address under which one of its files stays.

    An embedded S3 server takes everything with it when it ends, so what is to stay is copied to a local folder.
    """
    if uri != EMBEDDED_S3:
        yield uri, lambda path: open_store(uri).address(path)
        return
    with serve_s3() as server, applied_environment(server.environment):

        def keep(path: str) -> str:
            local = open_store(f"{folder}/embedded-s3")
            local.write(path, open_store(server.uri).read(path))
            return local.address(path)

        yield server.uri, keep
