"""A store on S3 or any server that speaks it: botocore for objects, pyarrow's own client for Parquet."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.errors import InfraError
from infra.settings import S3Settings
from infra.storage.aws import AddressBook, address_book, unusable
from infra.storage.store import TEMPORARY, Store, clean_path

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

READ_SECONDS = 60
"""How long a request may be silent before it counts as lost and is sent again."""
ANSWERS = 4
"""How often a request is sent whose answer breaks off: botocore repeats requests, but not one that has an answer."""

MISSING = {"404", "NoSuchKey"}
TAKEN = {"412", "PreconditionFailed"}
CONFLICT = {"409", "ConditionalRequestConflict"}
REFUSED = {
    "401",
    "403",
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}
"""S3's words for a wrong credential; a HEAD request has no body and says only 403."""


class S3Store(Store):
    """Objects under one prefix of a bucket; endpoint, region and credentials are those of `infra.storage.aws`."""

    def __init__(self, uri: str, *, patient: bool = True) -> None:
        """Takes `s3://bucket/prefix`; an impatient store gives up on a silent endpoint after seconds, for `check`."""
        match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", uri)
        if match is None:
            raise InfraError(f"store {uri!r} names no bucket; give s3://bucket or s3://bucket/prefix, in lower case")
        self.bucket, self.prefix = match[1], (match[2] or "").strip("/")
        self.uri = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        self._book = address_book()
        self.settings = S3Settings(endpoint=self._book.endpoint, region=self._book.region)
        self._patient = patient
        self._client: Any = None
        self._lock = threading.Lock()

    def __reduce__(self) -> "tuple[type[S3Store], tuple[str]]":
        return S3Store, (self.uri,)

    def read(self, path: str) -> bytes:
        with self._errors(path):
            return self._body(path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        if not length:
            return b""
        span = f"bytes={offset}-{offset + length - 1}"
        with self._errors(path):
            data = self._body(path, Range=span)
        if len(data) < length:
            raise InfraError(f"{self.address(path)} ends before byte {offset + length}: it is damaged; make it again")
        if len(data) > length:
            raise InfraError(f"{self._server()} ignores byte ranges, by which chunks are read; use another S3 server")
        return data

    def _body(self, path: str, **request: str) -> bytes:
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        for last in (*[False] * (ANSWERS - 1), True):
            try:
                body: bytes = self._request("get_object", Key=self._key(path), **request)["Body"].read()
                return body
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def write(self, path: str, data: bytes) -> None:
        with self._errors(path):
            self._request("put_object", Key=self._key(path), Body=data)

    def write_if_absent(self, path: str, data: bytes) -> bool:
        for _ in range(10):
            try:
                with self._errors(path):
                    self._request("put_object", Key=self._key(path), Body=data, IfNoneMatch="*")
                return True
            except _TakenError:
                return False
            except _ConflictError:  # two writers at the same moment: S3 asks both to try again
                continue
        raise InfraError(f"{self.address(path)} is being written by others all the time; run the command again")

    def exists(self, path: str) -> bool:
        try:
            self.size(path)
        except FileNotFoundError:
            return False
        return True

    def size(self, path: str) -> int:
        with self._errors(path):
            return int(self._request("head_object", Key=self._key(path))["ContentLength"])

    def list(self, prefix: str = "") -> list[str]:
        return sorted(self.stamps(prefix))

    def stamps(self, prefix: str = "") -> dict[str, str | None]:
        # The digest of the bytes, where the server gives one.
        tags = {path: item.get("ETag") for path, item in self._items(prefix)}
        return {path: tag for path, tag in tags.items() if not path.rpartition("/")[2].startswith(TEMPORARY)}

    def written(self, prefix: str = "") -> dict[str, datetime]:
        return {path: item["LastModified"] for path, item in self._items(prefix)}

    def _items(self, prefix: str) -> Sequence[tuple[str, dict[str, Any]]]:
        start = f"{self.prefix}/" if self.prefix else ""
        with self._errors(prefix):
            items = [item for page in self._pages(start + prefix) for item in page.get("Contents", ())]
        return [(item["Key"].removeprefix(start), item) for item in items]

    def delete(self, path: str) -> None:
        with self._errors(path):
            self._request("delete_object", Key=self._key(path))

    def address(self, path: str = "") -> str:
        return f"{self.uri}/{clean_path(path)}" if path else self.uri

    def arrow(self) -> "tuple[FileSystem, str]":
        from pyarrow.fs import S3FileSystem

        options = self.settings.arrow_options()
        if credentials := self._book.credentials():
            options |= dict(zip(("access_key", "secret_key", "session_token"), credentials, strict=True))
        return S3FileSystem(**options), self.uri.removeprefix("s3://")

    def check(self, *, writes: bool = True) -> None:
        super(S3Store, S3Store(self.uri, patient=False)).check(writes=writes)

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
        page = self._request("list_objects_v2", Prefix=prefix)
        yield page
        while page.get("IsTruncated"):
            page = self._request("list_objects_v2", Prefix=prefix, ContinuationToken=page["NextContinuationToken"])
            yield page

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{clean_path(path)}".lstrip("/")

    def _s3(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._book, self._patient)
            return self._client

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        """Turns botocore's errors into one sentence; an object that is not there becomes a FileNotFoundError."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            self._raise_answer(error, path)
        except (HTTPClientError, BotoCoreError, HTTPError, ValueError) as error:
            raise InfraError(self._no_answer(error)) from error

    def _raise_answer(self, error: Any, path: str) -> None:
        code, message = str(error.response["Error"].get("Code", "")), error.response["Error"].get("Message", "")
        if code in TAKEN:
            raise _TakenError from error
        if code in CONFLICT:
            raise _ConflictError from error
        if code == "NoSuchBucket":
            raise InfraError(
                f"bucket {self.bucket!r} does not exist at {self._server()}; create it or correct --store {self.uri}"
            ) from error
        if code in MISSING:
            raise FileNotFoundError(f"{self.address(path)} does not exist") from None
        if code == "InvalidRange":
            raise InfraError(
                f"{self.address(path)} is shorter than its manifest says: it is damaged; make it again"
            ) from error
        if code in REFUSED:
            raise InfraError(
                f"{self._server()} refuses our credentials for store {self.uri!r} ({code}); set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to a key that may read and write there"
            ) from error
        raise InfraError(f"{self._server()} answered {code or 'an error'} for store {self.uri!r}: {message}") from error

    def _no_answer(self, error: Exception) -> str:
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            return (
                f"no credentials for store {self.uri!r}: {str(error).rstrip('.').lower()}; "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        if any(word in type(error).__name__ for word in ("Credential", "SSO", "Token")):
            return f"no credentials for store {self.uri!r}: {unusable(error)}"
        return (
            f"store {self.uri!r} cannot be reached at {self._server()} ({type(error).__name__}); "
            "start the server, or correct AWS_ENDPOINT_URL or --store"
        )

    def _server(self) -> str:
        return self.settings.endpoint or f"AWS S3 in {self.settings.region}"


class _TakenError(Exception):
    """The object was there already."""


class _ConflictError(Exception):
    """Another writer was at work on the same object."""


def _client(book: AddressBook, patient: bool) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=5 if patient else 3,
        read_timeout=READ_SECONDS if patient else min(10, READ_SECONDS),
        retries={"mode": "standard", "total_max_attempts": 6 if patient else 4},
        max_pool_connections=32,
        # A bucket in the host name needs DNS, and trailing checksums need AWS: other servers have neither.
        s3={"addressing_style": "path"} if book.endpoint else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return book.client(config)
