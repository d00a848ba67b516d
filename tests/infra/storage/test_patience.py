"""A server that never answers, drips, sends us elsewhere or has another time is a sentence within the store's time."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from infra.errors import InfraError
from infra.storage import Store
from infra.storage.patience import OverdueError, Patience
from infra.storage.s3 import S3Store
from tests.infra.storage.s3_answers import answering, dripping, s3_error, silent

HASTY = Patience(connect=1, read=30, attempts=3, operation=2, word=0.5)
"""Only the end of the operation ends it: the socket would wait for 30 s."""
HEADERS = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 100000000\r\n\r\n'
LATER = Patience(connect=1, read=1, attempts=2, operation=30, word=30)
OPERATIONS: dict[str, Callable[[Store], Any]] = {
    "read": lambda store: store.read("object"),
    "read_range": lambda store: store.read_range("object", 0, 10**8),
    "write": lambda store: store.write("object", b"data"),
    "write_if_absent": lambda store: store.write_if_absent("object", b"data"),
    "exists": lambda store: store.exists("object"),
    "list": lambda store: store.list(),
    "delete": lambda store: store.delete("object"),
    "check": lambda store: store.check(),
}


def ready_store(uri: str, patience: Patience) -> S3Store:
    """Returns a store whose client is made already, which takes seconds on a busy machine."""
    store = S3Store(uri, patience)
    store._s3()
    return store


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", HEADERS], ids=["silence", "headers", "body"])
def test_no_operation_lasts_longer_than_its_time(
    operation: str, first: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if first == HEADERS and operation in ("exists", "delete"):
        pytest.skip("its answer is over with the headers")
    with dripping(first, 0.2) if first else silent() as (endpoint, connections):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = ready_store("s3://bucket/prefix", HASTY)
        began = time.monotonic()
        with pytest.raises(OverdueError) as caught:
            OPERATIONS[operation](store)
        assert time.monotonic() - began < 10 and (len(connections) == 1 or operation == "check")
    assert endpoint in str(caught.value) and "AWS_ENDPOINT_URL" in str(caught.value)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "infra.storage.patience"]
    assert said.startswith(f"waiting for {endpoint} to ") and "s3://bucket/prefix" in said


def test_many_that_wait_for_one_server_are_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with silent() as (endpoint, connections):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store, errors = ready_store("s3://bucket/prefix", HASTY), list[Exception]()

        def read(path: str) -> None:
            try:
                store.read(path)
            except InfraError as error:
                errors.append(error)

        threads = [threading.Thread(target=read, args=[str(number)]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(errors) == len(connections) == 8
    assert len([record for record in caplog.records if "waiting for" in record.getMessage()]) == 1


def test_an_object_that_comes_slowly_but_surely_is_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("infra.storage.patience.SLOWEST", 1)  # a second for each byte
    monkeypatch.setattr("infra.storage.s3.PART_BYTES", 2)
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", 0.2) as (endpoint, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert ready_store("s3://bucket", HASTY).read("object") == b"x" * 20


def test_what_was_given_up_sends_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as (endpoint, connections):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = ready_store("s3://bucket", Patience(read=2, attempts=6, operation=1))
        with pytest.raises(OverdueError):
            store.write("object", b"data")
        time.sleep(4)
        assert len(connections) == 1


@pytest.mark.parametrize("operation", ["read", "exists"])
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_that_leads_nowhere_is_a_sentence(
    operation: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = s3_error("PermanentRedirect").replace(b"<Message>", b"<Endpoint>s3.elsewhere</Endpoint><Message>")
    with answering(status, body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(
            InfraError, match="set AWS_REGION to the region of the bucket, or correct AWS_ENDPOINT_URL"
        ) as caught:
            OPERATIONS[operation](S3Store("s3://bucket", LATER))
    assert endpoint in str(caught.value) and (operation == "exists" or "s3.elsewhere" in str(caught.value))


@pytest.mark.parametrize(
    ("operation", "code"), [("write", "RequestTimeTooSkewed"), ("exists", ""), ("read", "SignatureDoesNotMatch")]
)
def test_a_clock_that_is_wrong_is_named(operation: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, s3_error(code), {"Date": formatdate(time.time() - 7200, usegmt=True)}) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(InfraError, match=r"this machine's clock is 7\d\d\d s away .*timedatectl"):
            OPERATIONS[operation](S3Store("s3://bucket", LATER))


@pytest.mark.parametrize(
    "body",
    [
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>"
        b"</ListBucketResult>",
        b"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
    ],
    ids=["no-token", "same-token", "no-key"],
)
def test_a_list_that_is_none_is_a_sentence(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(InfraError, match=r"does not answer as S3 does|without end"):
            S3Store("s3://bucket", LATER).list()


WAITER = """
from infra.storage import open_store
from infra.storage.patience import Patience
from infra.storage.s3 import S3Store
from pipelines.store.reports.tables import Piece, read_parts
import sys
print("ready", flush=True)
if sys.argv[1] == "threads":
    read_parts([Piece(f"reports/{number}") for number in range(40)], "s3://bucket/prefix", "metrics")
open_store("s3://bucket/prefix").read("object")
"""


@pytest.mark.parametrize("where", ["main", "threads"])
def test_an_interruption_ends_a_wait_at_once(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as (endpoint, connections):
        environment = os.environ | {"AWS_ENDPOINT_URL": endpoint}
        process = subprocess.Popen(
            [sys.executable, "-c", WAITER, where], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            deadline = time.monotonic() + 60
            while not connections and time.monotonic() < deadline:
                time.sleep(0.05)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) in (-signal.SIGINT, 130) and time.monotonic() - began < 5
        finally:
            process.kill()
            process.communicate()
