"""What a command starts for itself where nobody gave it one: Prefect's server, an S3 server."""

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import AddressError
from infra.processes.child import child_server
from infra.processes.environment import applied_environment
from infra.progress import announce
from infra.storage import open_store
from infra.storage.s3_server import serve_s3

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
        AddressError: nobody answers at PREFECT_API_URL, or there is no place for a database.
    """
    url = os.environ.get("PREFECT_API_URL")
    if url:
        check_prefect(url, "or unset it for an embedded one")
    else:
        check_home()
    quiet = QUIET if url else QUIET | LEAVING
    with applied_environment({name: os.environ.get(name, value) for name, value in quiet.items()}):
        if url:
            yield
            return
        announce("starting Prefect's server; PREFECT_API_URL names one that runs already")
        # Prefect would start the same server itself, but one that Ctrl-C in a terminal ends before the flow does.
        with (
            child_server("flows.servers.prefect_server", "the embedded Prefect server") as embedded,
            applied_environment({"PREFECT_API_URL": embedded}),
        ):
            yield


def check_prefect(url: str, otherwise: str = "or start one there") -> None:
    """Passes where a Prefect server answers.

    Args:
        url: of its API.
        otherwise: what else can be done, for the message.

    Raises:
        AddressError: nobody answers.
    """
    try:
        urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=5).close()
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise AddressError(
            f"no Prefect server answers at {without_password(url)!r}; correct PREFECT_API_URL, {otherwise}"
        ) from error


def without_password(url: str) -> str:
    """Returns an address without the name and password, or the query, that it may hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def check_home() -> None:
    """Passes where Prefect can keep its database; a folder that is not there yet is not made.

    Raises:
        AddressError: its folder cannot be written.
    """
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser().absolute()
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise AddressError(
            f"Prefect cannot keep its database in {str(home)!r} ({reason}); set PREFECT_HOME to a folder that can be "
            "written"
        ) from error


@contextmanager
def embedded_store(uri: str, folder: str = "runs") -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yields the store's address and a function that gives the address under which one of its files stays.

    An embedded S3 server takes everything with it when it ends, so what is to stay is copied to a local folder.
    """
    if uri != EMBEDDED_S3:
        yield uri, lambda path: open_store(uri).address(path)
        return
    with serve_s3() as server, applied_environment(server.environment | _only(server.endpoint)):

        def keep(path: str) -> str:
            local = open_store(f"{folder}/embedded-s3")
            local.write(path, open_store(server.uri).read(path))
            return local.address(path)

        yield server.uri, keep


def _only(endpoint: str) -> dict[str, str]:
    """Returns the variables without which the user's own finer ones, or a profile's switch, would lead elsewhere."""
    return {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}
