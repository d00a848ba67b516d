"""A run is cancelled by its own watch, also after the server was away."""

import json
import logging
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.runs import cancellation
from flows.runs.cancellation import CancellationWatch
from tests.flows.conftest import wait_for

RUN = str(uuid4())


class StateServer:
    """Answers, at the same address each time it is started, what state the flow run is in."""

    def __init__(self) -> None:
        self.state, self.asked = "RUNNING", 0
        self._server = self._bind(0)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api"

    def start(self) -> None:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def start_again(self, state: str) -> None:
        self.state, self.asked = state, 0
        self._server = self._bind(self._server.server_port)
        self.start()

    def _bind(self, port: int) -> ThreadingHTTPServer:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(owner.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", port), Handler)

    def answer(self, path: str) -> dict[str, Any]:
        self.asked += path.endswith(f"/flow_runs/{RUN}")
        state = {"type": self.state, "name": self.state.capitalize(), "timestamp": "2026-01-01T00:00:00Z"}
        return {"id": RUN, "name": "run", "flow_id": str(uuid4()), "state": {"id": str(uuid4()), **state}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StateServer]:
    """A server that knows the flow run that this process seems to be, asked 20 times a second."""
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", RUN)
    monkeypatch.delenv("PREFECT__FLOW_RUN_ID", raising=False)
    monkeypatch.setattr(cancellation, "POLL_SECONDS", 0.05)
    server = StateServer()
    server.start()
    with temporary_settings({PREFECT_API_URL: server.url}):
        yield server
    server.stop()


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """The signals to end that this process gets in a test, which it outlives."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, note)
    yield seen
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("state", ["CANCELLING", "CANCELLED"])
def test_a_run_can_be_cancelled_after_the_server_was_away(
    state: str, server: StateServer, signals: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    def failures() -> int:
        return sum("cannot be read" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.DEBUG, logger=cancellation.__name__), CancellationWatch() as watch:
        wait_for(lambda: server.asked >= 2, "the questions", 30, 0.05)
        assert not signals and not failures()
        server.stop()
        wait_for(lambda: failures() >= 2, "questions without an answer", 30, 0.05)
        assert not signals
        server.start_again(state)
        wait_for(lambda: signals, "the signal", 30, 0.05)
        assert watch.acted and signals == [signal.SIGTERM]


def test_a_worker_gets_time_to_act_first(
    server: StateServer, signals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", RUN)
    server.state = "CANCELLING"
    with CancellationWatch() as watch:
        wait_for(lambda: server.asked >= 1, "the question", 30, 0.05)
    assert not watch.acted and not signals and cancellation.PATIENCE_SECONDS >= 10


def test_a_run_that_has_ended_is_not_asked_for(server: StateServer, signals: list[int]) -> None:
    with CancellationWatch():
        wait_for(lambda: server.asked >= 1, "the question", 30, 0.05)
    server.state, before = "CANCELLING", server.asked
    with pytest.raises(AssertionError):
        wait_for(lambda: server.asked > before + 1, "another question", 1, 0.05)
    assert not signals
