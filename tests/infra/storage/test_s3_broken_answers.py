"""An answer of S3 that breaks off in its middle is asked for again, whatever it was about to say."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from infra.storage.s3 import ANSWERS
from tests.http_servers import Handler, served

MISSING = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>no</Message></Error>'
TAKEN = MISSING.replace(b"NoSuchKey", b"PreconditionFailed")
EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'


@contextmanager
def breaking_off(status: int, body: bytes, times: int) -> Iterator[tuple[str, list[str]]]:
    """Serves one answer on loopback, which breaks off the first few times; yields the endpoint and what was asked."""
    asked: list[str] = []

    class Answers(Handler):
        def answer(self) -> None:
            self.body()
            asked.append(self.command)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if len(asked) > times:
                self.wfile.write(body)
                return
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            # Closing without lingering sends RST: "connection reset by peer".
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return

        do_GET = do_PUT = answer

    with served(Answers) as address:
        yield address, asked


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def missing(store: Any) -> bool:
    try:
        store.read("object")
    except FileNotFoundError:
        return True
    return False


@pytest.mark.parametrize(
    ("status", "body", "ask", "wanted"),
    [
        (404, MISSING, missing, True),
        (412, TAKEN, lambda store: store.write_if_absent("object", b"data"), False),
        (200, EMPTY, lambda store: store.list(), []),
        (200, b"a whole object", lambda store: store.read("object"), b"a whole object"),
    ],
    ids=["missing", "taken", "list", "read"],
)
def test_what_breaks_off_is_asked_for_again(
    status: int, body: bytes, ask: Callable[[Any], Any], wanted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with breaking_off(status, body, times=ANSWERS - 1) as (endpoint, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert ask(open_store("s3://bucket/prefix")) == wanted
    assert len(asked) == ANSWERS


def test_an_answer_that_never_comes_whole_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with breaking_off(404, MISSING, times=100) as (endpoint, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(InfraError, match=r"store 's3://bucket/prefix' cannot be reached at .* \(ProtocolError\)"):
            open_store("s3://bucket/prefix").read("object")
