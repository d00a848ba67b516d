"""A store in a local folder: atomic by rename, exclusive by hard link."""

import errno
import os
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from infra.errors import InfraError
from infra.storage.store import TEMPORARY, Store, clean_path

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_FOLDER = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
NO_LINKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS)


class LocalStore(Store):
    """Objects are files under one folder, which is made by the first write."""

    def __init__(self, uri: str) -> None:
        # Absolute, because a worker's current folder is another one.
        self.root = Path(uri).expanduser().absolute()
        self.uri = str(self.root)

    def __reduce__(self) -> "tuple[type[LocalStore], tuple[str]]":
        return LocalStore, (self.uri,)

    def read(self, path: str) -> bytes:
        with self._errors("read", path), self._opened(path) as file:
            return file.read()

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        with self._errors("read", path), self._opened(path) as file:
            file.seek(offset)
            data = file.read(length)
        if len(data) != length:
            raise InfraError(f"{self.address(path)} ends before byte {offset + length}: it is damaged; make it again")
        return data

    def write(self, path: str, data: bytes) -> None:
        with self._errors("write", path), self._temporary(path, data) as temporary:
            temporary.replace(self._file(path))
            _sync_folder(temporary.parent)

    def write_if_absent(self, path: str, data: bytes) -> bool:
        if self.exists(path):
            return False
        with self._errors("write", path), self._temporary(path, data) as temporary:
            try:
                os.link(temporary, self._file(path))
            except FileExistsError:
                return False
            _sync_folder(temporary.parent)
            return True

    def exists(self, path: str) -> bool:
        with self._errors("read", path):
            return self._file(path).is_file()

    def size(self, path: str) -> int:
        with self._errors("read", path):
            return self._file(path).stat().st_size

    def list(self, prefix: str = "") -> list[str]:
        return [path for path in self._walk(prefix) if not path.rpartition("/")[2].startswith(TEMPORARY)]

    def _walk(self, prefix: str) -> Sequence[str]:
        folder = prefix.rpartition("/")[0]
        paths = []
        with self._errors("list", prefix):
            for parent, _, names in os.walk(self._file(folder) if folder else self.root, onerror=_unless_missing):
                inside = Path(parent).relative_to(self.root).as_posix()
                start = "" if inside == "." else f"{inside}/"
                paths += [path for name in names if (path := start + name).startswith(prefix)]
        return sorted(paths)

    def written(self, prefix: str = "") -> dict[str, datetime]:
        times = {}
        for path in self._walk(prefix):
            with suppress(FileNotFoundError):
                times[path] = datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)
        return times

    def stamps(self, prefix: str = "") -> dict[str, str | None]:
        stamps: dict[str, str | None] = {}
        for path in self.list(prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                found = self._file(path).stat()
                # A replaced file is another one, so its inode differs even within the clock's resolution.
                stamps[path] = f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
        return stamps

    def delete(self, path: str) -> None:
        with self._errors("delete", path):
            self._file(path).unlink(missing_ok=True)
        self._clear(self._file(path).parent)

    def _clear(self, folder: Path) -> None:
        """Removes folders that hold nothing any more: as on S3, there is a folder where there is an object."""
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:  # it holds something, or somebody else was first
                return
            folder = folder.parent

    def address(self, path: str = "") -> str:
        return str(self._file(path)) if path else self.uri

    def arrow(self) -> "tuple[FileSystem, str]":
        from pyarrow.fs import LocalFileSystem

        return LocalFileSystem(), self.uri

    def for_probes(self, seconds: float | None = None) -> "LocalStore":
        # A folder that is not there yet is proved on its nearest parent: a run that is refused later leaves none.
        root = self.root
        while not root.exists() and root != root.parent:
            root = root.parent
        return LocalStore(str(root))

    def check(self, *, writes: bool = True) -> None:
        place = self.for_probes()
        try:
            super(LocalStore, place).check(writes=writes)
        except InfraError as error:
            said = str(error).replace(place.uri, self.uri, 1) if place.root != self.root else str(error)
            raise InfraError(said) from error

    def _file(self, path: str) -> Path:
        return self.root / clean_path(path)

    def _opened(self, path: str) -> BinaryIO:
        """Returns an object's file; whatever else somebody has put under its name is refused, a pipe without a wait."""
        name = self._file(path)
        try:
            file = os.fdopen(os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except FileNotFoundError:
            if name.is_symlink():
                raise InfraError(f"{name} is a link to a file that does not exist; repair or remove it") from None
            raise
        except OSError as error:
            if error.errno not in (errno.ENXIO, errno.ENODEV, errno.EISDIR):
                raise
        else:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file
            file.close()
        raise InfraError(f"{name} is no ordinary file but a folder, a pipe, a socket or a device; remove it")

    @contextmanager
    def _temporary(self, path: str, data: bytes) -> Iterator[Path]:
        """Writes the bytes durably beside their destination; what is not renamed away is removed."""
        temporary = self._file(path).parent / f"{TEMPORARY}{uuid.uuid4().hex}"
        created = _created(temporary)
        try:
            with created as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _errors(self, verb: str, path: str) -> Iterator[None]:
        """Turns the system's errors into one sentence; an object that is not there stays a FileNotFoundError."""
        try:
            yield
        except OSError as error:
            if verb == "read" and isinstance(error, FileNotFoundError):
                raise FileNotFoundError(f"{self.address(path)} does not exist") from None
            raise InfraError(f"cannot {verb} in store {self.uri!r}: {_reason(error)}") from error


def _created(path: Path) -> BinaryIO:
    """Returns a new file, open for writing; its folder may be removed, as empty, between its making and the file's."""
    for last in (*[False] * 20, True):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("xb")
        except (FileNotFoundError, FileExistsError):
            if last:
                raise
    raise AssertionError("the last attempt returns or raises")


def _reason(error: OSError) -> str:
    if error.errno in READ_ONLY:
        return "permission denied; choose a folder that this user may write, by --store"
    if error.errno in FULL:
        return "the disk is full; free some space or choose a store elsewhere, by --store"
    if error.errno in NO_FOLDER:
        return f"{error.filename!r} is not a folder; choose another one, by --store"
    if error.errno in NO_LINKS:
        return "its file system has no hard links, by which datasets are committed; choose a folder on another one"
    return f"{os.strerror(error.errno).lower() if error.errno else error}; choose another folder, by --store"


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
