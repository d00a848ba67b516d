"""A Prefect server with all deployments made, and ways to talk to it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.conftest import ROOT
from tests.flows.jobs import alive_after, children_of

BUSY_SECONDS = 60
"""How long a server is asked again that answers that its database is busy, as Prefect's own client does."""

ANSWER_SECONDS = 120
"""How long an answer may take: longer than the server itself waits for its database before it says that it is busy."""


class Ask(Protocol):
    """Asks the server's API: by POST where there is a body, or by the method that is named."""

    def __call__(self, path: str, body: Any = None, method: str = "POST") -> Any: ...


Prefect = Callable[..., str]
"""Runs the `prefect` command against the server and returns what it printed."""

Worker = Callable[[Path], AbstractContextManager[subprocess.Popen[bytes]]]
"""Runs a worker, whose output goes to the file, for the time of a block."""


@pytest.fixture(scope="session")
def prefect_environment(prefect_server: dict[str, str]) -> dict[str, str]:
    """The environment of a user of the server, whose worker looks for work every second."""
    return user_of(prefect_server)


@pytest.fixture(scope="session")
def prefect(prefect_environment: dict[str, str]) -> Prefect:
    """Runs the `prefect` command from the checkout; all deployments are made."""
    run = prefect_command(prefect_environment)
    run("work-pool", "create", "local", "--type", "process")
    run("--no-prompt", "deploy", "--all")
    return run


@pytest.fixture(scope="session")
def ask(prefect_server: dict[str, str]) -> Ask:
    """Asks the server's API."""
    return asking(prefect_server["PREFECT_API_URL"])


@pytest.fixture
def worker(prefect: Prefect, prefect_environment: dict[str, str]) -> Worker:
    """Runs a worker of the pool; what it started is ended with it."""
    return worker_of(prefect_environment)


def user_of(server: dict[str, str]) -> dict[str, str]:
    """Returns the environment of a user of a server, whose worker looks for work every second."""
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return os.environ | server | quick


def prefect_command(environment: dict[str, str]) -> Prefect:
    """Returns what runs the `prefect` command from the checkout and returns what it printed."""

    def run(*arguments: str, seconds: float = 300, **variables: str) -> str:
        command = [sys.executable, "-m", "prefect", *arguments]
        whole = environment | variables
        answer = subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, timeout=seconds)
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        return answer.stdout + answer.stderr

    return run


def asking(api: str) -> Ask:
    """Returns what asks a server's API."""

    def request(path: str, body: Any = None, method: str = "POST") -> Any:
        data = None if method in ("GET", "DELETE") else json.dumps({} if body is None else body).encode()
        url, headers = f"{api}/{path}", {"Content-Type": "application/json"}
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(url, data, headers=headers, method=method), timeout=ANSWER_SECONDS
                ) as answer:
                    text = answer.read()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    return request


def worker_of(environment: dict[str, str]) -> Worker:
    """Returns what runs a worker of the pool `local`; what that started is ended with it."""

    @contextmanager
    def start(log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "local"]
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment | variables, stdout=out, stderr=out, start_new_session=True
            )
        try:
            yield process
        finally:
            children = children_of(process)
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for child in alive_after(children, 10):
                child.kill()

    return start


@pytest.fixture
def start_run(prefect: Prefect, ask: Ask) -> Callable[..., str]:
    """Makes a run of a deployment, `flow/name`, and returns its id."""

    def create(deployment: str, state: dict[str, Any] | None = None, **parameters: Any) -> str:
        found = ask(f"deployments/name/{deployment}", method="GET")
        body = {"parameters": parameters, **({"state": state} if state else {})}
        return str(ask(f"deployments/{found['id']}/create_flow_run", body)["id"])

    return create


def wait_for(look: Callable[[], Any], what: str, seconds: float = 180, every: float = 0.5) -> Any:
    """Returns the first thing that is not false that a look finds.

    Raises:
        AssertionError: nothing was found in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(every)
    raise AssertionError(f"{what} did not come within {seconds:g} s")
