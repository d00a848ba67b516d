"""A store in a local folder: what it makes, and the sentences for what keeps it from being used."""

import errno
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from tests.infra.storage.sentences import sentence


def test_a_local_store_is_made_by_its_first_write_only(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "deep" / "runs"))
    store.check()
    assert store.list() == [] and list(tmp_path.iterdir()) == []
    store.write("a", b"1")
    assert [path.name for path in (tmp_path / "deep" / "runs").iterdir()] == ["a"]


def test_a_relative_folder_means_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("runs/")
    store.write("a", b"1")
    monkeypatch.chdir("/")
    assert pickle.loads(pickle.dumps(store)).read("a") == b"1"
    assert store.uri == str(tmp_path / "runs")


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for uri in (tmp_path / "file", tmp_path / "file" / "runs"):
        assert f"'{tmp_path / 'file'}' is not a folder" in sentence(str(uri))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied" in sentence(str(tmp_path / "runs"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "permission denied"), (errno.EROFS, "permission denied"), (errno.ENOSPC, "disk is full")],
)
def test_a_write_that_the_system_refuses_leaves_nothing(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    store = open_store(str(tmp_path))
    store.write("object", b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    for write in (store.write, store.write_if_absent):
        with pytest.raises(InfraError, match=words) as caught:
            write("object" if write == store.write else "other", b"new")
        assert str(tmp_path) in str(caught.value) and "--store" in str(caught.value)
    assert words in sentence(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["object"] and store.read("object") == b"old"


def test_what_is_deleted_leaves_no_empty_folder(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "runs"))
    for path in ("models/m0/checkpoints/step-1/state", "models/m0/checkpoints/step-1/mark", "models/m0/config.json"):
        store.write(path, b"1")
    store.delete("models/m0/checkpoints/step-1/state")
    assert (tmp_path / "runs/models/m0/checkpoints/step-1").is_dir()
    store.delete("models/m0/checkpoints/step-1/mark")
    assert [path.name for path in (tmp_path / "runs/models/m0").iterdir()] == ["config.json"]
    store.delete("models/m0/config.json")
    store.delete("models/m0/config.json")
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"] and not list((tmp_path / "runs").iterdir())


def test_writers_beside_one_who_deletes_lose_nothing(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))

    def write_and_delete(number: int) -> None:
        for turn in range(50):
            store.write(f"a/b/{number}", b"%d" % turn)
            assert store.read(f"a/b/{number}") == b"%d" % turn
            store.delete(f"a/b/{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_delete, range(4)))
    assert not list(tmp_path.iterdir())


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (os.mkfifo, "is no ordinary file"),
        (Path.mkdir, "is no ordinary file"),
        (lambda path: path.symlink_to("/dev/zero"), "is no ordinary file"),
        (lambda path: path.symlink_to("nowhere"), "is a link to a file that does not exist"),
    ],
    ids=["pipe", "folder", "device", "dangling link"],
)
def test_what_somebody_has_put_in_the_place_of_an_object_is_refused(
    put: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path))
    put(tmp_path / "object")
    for read in (store.read, lambda path: store.read_range(path, 0, 1)):
        with pytest.raises(InfraError, match=rf"/object {words}"):
            read("object")
