"""One store, wherever it is: `runs/` is a local folder, `s3://bucket/prefix` is S3; the same code serves both."""

import uuid
from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING

from infra.errors import InfraError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

TEMPORARY = ".tmp-"
"""Names that start so are being written or are probes; no listing shows them."""


class Store(ABC):
    """A tree of immutable objects under one URI; paths are relative and "/"-separated.

    A store pickles as its URI: a worker opens it again from there and from its own environment.
    Every method raises InfraError where the store cannot be reached, refuses us or is full.
    """

    uri: str

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Returns the whole object.

        Raises:
            FileNotFoundError: there is none at that path.
        """

    @abstractmethod
    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """Returns exactly `length` bytes from `offset` on.

        Raises:
            FileNotFoundError: there is no object at that path.
            InfraError: the object ends before, so it is not the one that the caller's manifest describes.
        """

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Puts an object in one atomic step: a reader sees the old one or the new one, never a part."""

    @abstractmethod
    def write_if_absent(self, path: str, data: bytes) -> bool:
        """Puts an object if none is there and returns whether it did; of many concurrent writers exactly one succeeds.

        On S3 a request repeated after a lost answer may find its own object and return False: a caller whose
        bytes are determined by its plan compares what is there before it calls that a conflict.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Returns whether an object (not a folder) is at that path."""

    @abstractmethod
    def size(self, path: str) -> int:
        """Returns the object's length in bytes.

        Raises:
            FileNotFoundError: there is none at that path.
        """

    @abstractmethod
    def list(self, prefix: str = "") -> list[str]:
        """Returns the paths of all objects, however deep, that start with `prefix`, in alphabetical order."""

    def stamps(self, prefix: str = "") -> dict[str, str | None]:
        """Returns the paths of `list`, each with a stamp that changes with the object, None where none is known.

        What was read under a stamp need not be read again under the same.
        """
        return dict.fromkeys(self.list(prefix))

    @abstractmethod
    def written(self, prefix: str = "") -> dict[str, datetime]:
        """Returns the paths of `list` and of what is, or was left, being written, each with the time of its writing."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Removes an object; none there is no error."""

    @abstractmethod
    def address(self, path: str = "") -> str:
        """Returns the full URI of an object, for people and for other programs."""

    @abstractmethod
    def arrow(self) -> "tuple[FileSystem, str]":
        """Returns pyarrow's file system and the store's root in it."""

    def for_probes(self, seconds: float | None = None) -> "Store":
        """Returns the place where something can be tried that leaves no trace, or the store itself.

        Args:
            seconds: that one operation may take, where the store waits for a server.
        """
        return self

    def check(self, *, writes: bool = True) -> None:
        """Proves that the store can be reached, written, read and cleared, and that its conditional write is one.

        Args:
            writes: False for a job that only reads: it is then asked for nothing but an answer.

        Raises:
            InfraError: in one sentence, what is wrong and how to fix it. Nothing is left behind.
        """
        if not writes:
            self.exists("check")
            return
        path, data = f"{TEMPORARY}check-{uuid.uuid4().hex}", b"store check"
        try:
            self._prove(path, data)
        finally:
            self._discard(path)

    def _prove(self, path: str, data: bytes) -> None:
        # A request that was repeated after a lost answer finds its own object, whose name nobody else has.
        created = self.write_if_absent(path, data) or self.read(path) == data
        again = self.write_if_absent(path, b"overwritten")
        if not created or again or self.read(path) != data:
            raise InfraError(
                f"store {self.uri!r} ignores conditional writes (If-None-Match), by which datasets are committed; "
                "use a server that honours them, such as AWS S3, MinIO, Ceph or moto"
            )
        if self.read_range(path, 6, 5) != data[6:]:
            raise InfraError(
                f"store {self.uri!r} ignores byte ranges, by which chunks are read; use a server that honours them"
            )

    def _discard(self, path: str) -> None:
        try:
            self.delete(path)
        except InfraError:
            return  # what made the check fail keeps us from clearing, too, and is being reported already


def clean_path(path: str) -> str:
    """Returns the path as it is if it stays inside the store.

    Raises:
        InfraError: it is empty, absolute or climbs out.
    """
    if not is_inside(path):
        raise InfraError(f"path {path!r} does not stay inside its store; use names without '..', '\\' and empty parts")
    return path


def is_inside(path: str) -> bool:
    """Returns whether a path is relative and names something below: the rule for every path that a file holds."""
    return not any(part in ("", ".", "..") for part in path.split("/")) and "\\" not in path and "\0" not in path
