"""A cache of whole shards on the local disk, named by their SHA-256, that several jobs may share.

The least recently used shards are evicted first. A shard is written to `<digest>.part` under an exclusive lock, checked
and renamed, so that a file under a shard's name is always whole. A writer that is killed loses its lock, and the next
writer starts the part again. Reading needs no lock: an evicted file stays readable for a process that has it open.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

TOUCH_SECONDS = 60.0
"""A shard in use is marked as such at most this often."""
PART = ".part"


class ShardCache:
    """A folder of shards whose sizes add up to no more than a limit."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Takes the folder, which is made by the first write, and the limit in bytes."""
        self._folder = folder
        self._limit = limit
        self._touched: dict[str, float] = {}

    def read(self, digest: str, offset: int, length: int) -> bytes | None:
        """Returns bytes of a shard, or None where it is not in the cache (any more)."""
        path = self._path(digest)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            data = os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)
        now = time.monotonic()
        if now - self._touched.get(digest, -TOUCH_SECONDS) >= TOUCH_SECONDS:
            self._touched[digest] = now
            with suppress(OSError):
                os.utime(path)
        return data if len(data) == length else None

    def add(self, digest: str, size: int, pieces: Iterable[bytes]) -> bool:
        """Puts a shard in the cache unless it is there, and returns whether it is there now.

        Args:
            digest: SHA-256 of the shard, in hexadecimal.
            size: its bytes.
            pieces: its bytes in order; asked for only if they are needed.

        Raises:
            OSError: the folder cannot be written or its disk is full; no part of the shard is left.
        """
        if size > self._limit:
            return False
        with self._claim(digest) as part:
            if part is None:
                return True
            if not self._free_space(part, size):
                return False
            found = hashlib.sha256()
            for piece in pieces:
                part.write(piece)
                found.update(piece)
            part.flush()
            if found.hexdigest() != digest:
                return False
            os.replace(self._part(digest), self._path(digest))
        return True

    def drop(self, digest: str) -> None:
        """Removes a shard whose copy is damaged."""
        with suppress(FileNotFoundError):
            self._path(digest).unlink()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _part(self, digest: str) -> Path:
        return self._path(digest).with_suffix(PART)

    @contextmanager
    def _claim(self, digest: str) -> Iterator[BinaryIO | None]:
        """Yields the empty part of a shard to one writer, or None where another writer has made the shard."""
        path, part = self._path(digest), self._part(digest)
        part.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # While we waited, the file may have been renamed to the shard, or removed.
                ours = _is_at(file, part)
                if not path.exists() and not ours:
                    continue
                try:
                    if path.exists():
                        yield None
                    else:
                        file.truncate(0)
                        yield file
                finally:
                    if ours and _is_at(file, part):
                        part.unlink()
                return

    def _free_space(self, part: BinaryIO, size: int) -> bool:
        """Evicts the least recently used until the shard fits, reserves its room, and returns whether there was any."""
        with (self._folder / ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = sorted(self._entries())
            total = sum(bytes_held for _, bytes_held, _ in entries)
            for _, bytes_held, path in entries:
                if total + size <= self._limit:
                    break
                if _remove(path):
                    total -= bytes_held
            if total + size > self._limit:
                return False  # others are writing as much as there is room for
            # Of the full length from now on, so that other writers count it.
            os.posix_fallocate(part.fileno(), 0, size)
            return True

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yields (last use, bytes, path) of every shard and part."""
        for folder in self._folder.iterdir():
            if not folder.is_dir():
                continue
            for path in folder.iterdir():
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    yield facts.st_mtime, facts.st_size, path


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(file.fileno())
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _remove(path: Path) -> bool:
    """Returns whether the file is gone; the part of a writer that is alive stays."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        if path.suffix == PART:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if not _is_at(file, path):
                return False
        path.unlink()
    return True
