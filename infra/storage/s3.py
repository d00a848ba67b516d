"""A store on S3 or any server that speaks it: botocore for objects, pyarrow's own client for Parquet."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from infra.errors import InfraError
from infra.settings import S3Settings
from infra.storage import patience as limits
from infra.storage.aws import AddressBook, address_book
from infra.storage.patience import Operation, Patience
from infra.storage.s3_errors import Addressed, ConflictError, TakenError
from infra.storage.store import TEMPORARY, Store, clean_path

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

ANSWERS = 4
"""How often a request is sent whose answer breaks off: botocore repeats requests, but not one that has an answer."""
PART_BYTES = 2**20
"""Read at once of an object: after each part it is seen whether the operation has time left."""

T = TypeVar("T")


class S3Store(Store):
    """Objects under one prefix of a bucket; endpoint, region and credentials are those of `infra.storage.aws`."""

    def __init__(self, uri: str, patience: Patience | None = None) -> None:
        """Takes `s3://bucket/prefix`, and how long it waits for the server, by default as `PATIENT` does."""
        match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", uri)
        if match is None:
            raise InfraError(f"store {uri!r} names no bucket; give s3://bucket or s3://bucket/prefix, in lower case")
        self.bucket, self.prefix = match[1], (match[2] or "").strip("/")
        self.uri = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        self._book = address_book()
        self.settings = S3Settings(endpoint=self._book.endpoint, region=self._book.region)
        self._patience = patience or limits.PATIENT
        self._ends: float | None = None
        self._client: Any = None
        self._lock = threading.Lock()

    def __reduce__(self) -> "tuple[type[S3Store], tuple[str]]":
        return S3Store, (self.uri,)

    def read(self, path: str) -> bytes:
        return self._operate("read", path, lambda operation: self._body(operation, path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        if not length:
            return b""
        span = f"bytes={offset}-{offset + length - 1}"
        data = self._operate("read", path, lambda operation: self._body(operation, path, length, Range=span))
        if len(data) < length:
            raise InfraError(f"{self.address(path)} ends before byte {offset + length}: it is damaged; make it again")
        if len(data) > length:
            raise InfraError(
                f"{self._book.server} ignores byte ranges, by which chunks are read; use another S3 server"
            )
        return data

    def _body(self, operation: Operation, path: str, length: int | None = None, **request: str) -> bytes:
        """Returns an object's bytes, of one that is longer than `length` not more than shows it."""
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        for last in (*[False] * (ANSWERS - 1), True):
            try:
                answer = self._request("get_object", Key=self._key(path), **request)
                return b"".join(_parts(answer["Body"], operation, length))
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def write(self, path: str, data: bytes) -> None:
        self._put(path, data)

    def write_if_absent(self, path: str, data: bytes) -> bool:
        for _ in range(10):
            try:
                self._put(path, data, IfNoneMatch="*")
                return True
            except TakenError:
                return False
            except ConflictError:  # two writers at the same moment: S3 asks both to try again
                continue
        raise InfraError(f"{self.address(path)} is being written by others all the time; run the command again")

    def _put(self, path: str, data: bytes, **request: str) -> None:
        def put(operation: Operation) -> None:
            operation.moved(len(data))
            self._request("put_object", Key=self._key(path), Body=data, **request)

        self._operate("write", path, put)

    def exists(self, path: str) -> bool:
        try:
            self.size(path)
        except FileNotFoundError:
            return False
        return True

    def size(self, path: str) -> int:
        answer = self._operate("look for", path, lambda _: self._request("head_object", Key=self._key(path)))
        return int(answer["ContentLength"])

    def list(self, prefix: str = "") -> list[str]:
        return sorted(self.stamps(prefix))

    def stamps(self, prefix: str = "") -> dict[str, str | None]:
        # The digest of the bytes, where the server gives one.
        tags = {path: item.get("ETag") for path, item in self._items(prefix)}
        return {path: tag for path, tag in tags.items() if not path.rpartition("/")[2].startswith(TEMPORARY)}

    def written(self, prefix: str = "") -> dict[str, datetime]:
        items = self._items(prefix)
        with self._errors(self.uri):
            return {path: item["LastModified"] for path, item in items}

    def _items(self, prefix: str) -> Sequence[tuple[str, dict[str, Any]]]:
        start = f"{self.prefix}/" if self.prefix else ""
        items = [item for page in self._pages(start + prefix) for item in page.get("Contents", ())]
        with self._errors(self.uri):
            return [(item["Key"].removeprefix(start), item) for item in items]

    def delete(self, path: str) -> None:
        self._operate("delete", path, lambda _: self._request("delete_object", Key=self._key(path)))

    def address(self, path: str = "") -> str:
        return f"{self.uri}/{clean_path(path)}" if path else self.uri

    def arrow(self) -> "tuple[FileSystem, str]":
        from pyarrow.fs import S3FileSystem

        options = self.settings.arrow_options()
        if credentials := self._book.credentials():
            options |= dict(zip(("access_key", "secret_key", "session_token"), credentials, strict=True))
        return S3FileSystem(**options), self.uri.removeprefix("s3://")

    def for_probes(self, seconds: float | None = None) -> "S3Store":
        patience = self._patience.of_a_check()
        return S3Store(
            self.uri, patience if seconds is None else replace(patience, operation=seconds, together=None, attempts=2)
        )

    def check(self, *, writes: bool = True) -> None:
        super(S3Store, self.for_probes()).check(writes=writes)

    def _request(self, operation: str, **request: Any) -> Any:
        """Sends a request; one whose answer breaks off, were it that an object is missing, is sent again."""
        from urllib3.exceptions import HTTPError

        for last in (*[False] * (ANSWERS - 1), True):
            try:
                return getattr(self._s3(), operation)(Bucket=self.bucket, **request)
            except HTTPError:
                if last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._page(prefix, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            token = page.get("NextContinuationToken")
            if not token or token == more.get("ContinuationToken"):
                raise InfraError(f"{self._book.server} lists store {self.uri!r} without end; use another S3 server")
            more = {"ContinuationToken": token}

    def _page(self, prefix: str, **more: str) -> dict[str, Any]:
        page: dict[str, Any] = self._operate(
            "list", "", lambda _: self._request("list_objects_v2", Prefix=prefix, **more)
        )
        return page

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{clean_path(path)}".lstrip("/")

    def _s3(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._book, self._patience)
            return self._client

    def _operate(self, verb: str, path: str, work: Callable[[Operation], T]) -> T:
        """Returns what the work returns, in the time that there is for it, and its errors as `_errors` says them."""
        now, address = time.monotonic(), self.address(path)
        ends = now + self._patience.operation
        if self._patience.together is not None:
            self._ends = self._ends or now + self._patience.together
            ends = min(ends, self._ends)
        operation = Operation(f"{verb} {address}", self._book.server, self._book.origin, ends)
        with self._errors(address):
            return limits.patiently(work, operation, self._patience.word)

    @contextmanager
    def _errors(self, address: str) -> Iterator[None]:
        """Turns botocore's errors into one sentence; an object that is not there becomes a FileNotFoundError."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from urllib3.exceptions import HTTPError

        asked = Addressed(self.bucket, self.uri, self._book.server, self._book.origin)
        try:
            yield
        except ClientError as error:
            raise asked.answered(error, address) from error
        except (HTTPClientError, BotoCoreError, HTTPError, ValueError, LookupError, TypeError) as error:
            raise asked.unanswered(error) from error


def _parts(body: Any, operation: Operation, length: int | None) -> Iterator[bytes]:
    """Yields a body as it comes, which gives its operation time; one that is longer than wanted, not to its end."""
    count = 0
    while length is None or count <= length:
        part: bytes = body.read(PART_BYTES if length is None else min(PART_BYTES, length + 1))
        if not part:
            return
        count += len(part)
        operation.moved(len(part))
        limits.go_on()
        yield part
    body.close()


def _client(book: AddressBook, patience: Patience) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=32,
        # A bucket in the host name needs DNS, and trailing checksums need AWS: other servers have neither.
        s3={"addressing_style": "path"} if book.endpoint else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = book.client(config)
    client.meta.events.register("before-send.s3", lambda **_: limits.go_on())
    # Sent by botocore after a redirect to find the bucket's region: that this is redirected, too, is an answer.
    client.meta.events.register("before-call.s3.HeadBucket", _follow_no_further)
    return client


def _follow_no_further(context: dict[str, Any], **_: Any) -> None:
    context.setdefault("s3_redirect", {})["redirected"] = True
