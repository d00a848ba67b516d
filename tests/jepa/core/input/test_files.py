"""What a user names as a file is one, or is refused at once: nothing waits for a pipe or reads a device for ever."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli.sources import read_file as read_config
from jepa.core.errors import InputError
from jepa.core.input.files import read_file, require_file
from jepa.evaluation.protocol import read_protocol
from pipelines.collect.imports.hdf5 import open_source

pytestmark = pytest.mark.timeout(60)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "it is a pipe"),
    "folder": (Path.mkdir, "it is a folder"),
    "socket": (bind, "it is a socket"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
    "link to nothing": (lambda path: path.symlink_to("nowhere"), "is a link to a file that does not exist"),
    "link to itself": (lambda path: path.symlink_to(path), "too many levels of symbolic links"),
    "nothing": (lambda path: None, "does not exist"),
}
READERS: list[Callable[[Path], object]] = [
    lambda path: read_file(f"file {str(path)!r}", path),
    lambda path: open_source(str(path)),
    lambda path: read_config(str(path), "collect"),
    read_protocol,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS, ids=["weights", "HDF5", "configuration", "protocol"])
def test_what_is_no_file_is_refused(
    kind: str, reader: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, words = KINDS[kind]
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 characters
    make(Path("it"))
    with pytest.raises(InputError, match=rf"^\w.*file 'it' .*{words}|^file 'it' .*{words}"):
        reader(Path("it"))


def test_a_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"held")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        require_file("it", tmp_path / name)
        assert read_file("it", tmp_path / name) == b"held"
