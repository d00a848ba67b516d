"""One body of tests for both kinds of store."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from tests.infra.storage.sentences import sentence


def test_reads_back_what_was_written(store: Store) -> None:
    store.write("a/b.bin", b"hello world")
    assert store.read("a/b.bin") == b"hello world"
    assert store.size("a/b.bin") == 11
    assert store.read_range("a/b.bin", 6, 5) == b"world"
    assert store.read_range("a/b.bin", 6, 0) == b""
    store.write("a/b.bin", b"again")
    assert store.read("a/b.bin") == b"again"


def test_tells_what_is_there(store: Store) -> None:
    for path in ("d/2", "d/1", "d/deep/3", "dd", "e"):
        store.write(path, b"x")
    assert store.list() == ["d/1", "d/2", "d/deep/3", "dd", "e"]
    assert store.list("d/") == ["d/1", "d/2", "d/deep/3"]
    assert store.list("d") == ["d/1", "d/2", "d/deep/3", "dd"]
    assert store.list("d/deep/3") == ["d/deep/3"]
    assert store.list("none/") == []
    assert store.exists("d/1") and not store.exists("d") and not store.exists("f")


def test_a_missing_object_is_a_file_not_found(store: Store) -> None:
    for read in (store.read, store.size, lambda path: store.read_range(path, 0, 1)):
        with pytest.raises(FileNotFoundError, match="nothing/here does not exist"):
            read("nothing/here")
    store.delete("nothing/here")


def test_delete_removes_one_object(store: Store) -> None:
    store.write("a", b"1")
    store.write("ab", b"2")
    store.delete("a")
    assert store.list() == ["ab"]


def test_a_range_past_the_end_says_that_the_object_is_damaged(store: Store) -> None:
    store.write("a", b"0123456789")
    for offset, length in ((5, 6), (10, 1), (20, 5)):
        with pytest.raises(InfraError, match="it is damaged; make it again"):
            store.read_range("a", offset, length)


def test_write_if_absent_never_overwrites(store: Store) -> None:
    assert store.write_if_absent("m/manifest.json", b"first")
    assert not store.write_if_absent("m/manifest.json", b"second")
    assert store.read("m/manifest.json") == b"first"


def test_of_many_concurrent_writers_exactly_one_succeeds(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        for round_ in range(5):
            path = f"race/{round_}"
            won = list(pool.map(lambda i, path=path: store.write_if_absent(path, b"%d" % i * 1000), range(8)))
            assert sum(won) == 1
            assert store.read(path) == b"%d" % won.index(True) * 1000
    assert store.list() == [f"race/{i}" for i in range(5)]


def test_a_reader_never_sees_a_part_of_a_write(store: Store) -> None:
    versions = [bytes([i]) * 200_000 for i in range(1, 9)]
    store.write("object", versions[0])
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(store.write, "object", version) for version in versions]
        while not all(write.done() for write in writes):
            assert store.read("object") in versions


def test_a_worker_opens_it_again_from_its_pickle(store: Store) -> None:
    store.write("a", b"1")
    again = pickle.loads(pickle.dumps(store))
    assert again.uri == store.uri and again.read("a") == b"1"


def test_arrow_sees_the_same_objects(store: Store) -> None:
    filesystem, root = store.arrow()
    table = pa.table({"x": [1, 2, 3]})
    store.write("t/part.parquet", _parquet(table))
    assert pq.read_table(f"{root}/t/part.parquet", filesystem=filesystem).equals(table)


def test_check_passes_and_leaves_nothing(store: Store) -> None:
    store.check()
    assert store.list() == []


def test_addresses_are_full(store: Store) -> None:
    assert store.address("a/b") == f"{store.uri}/a/b"
    assert store.address() == store.uri
    assert open_store(store.address()).uri == store.uri


@pytest.mark.parametrize("path", ["", "../x", "/etc/passwd", "a//b", "a/./b", "a/../../b", "a\\b"])
def test_no_path_leaves_the_store(store: Store, path: str) -> None:
    with pytest.raises(InfraError, match="does not stay inside"):
        store.write(path, b"x")


@pytest.mark.parametrize(
    "uri", ["", " ", "gs://bucket/x", "http://host/x", "file:///x", "s3://", "s3://UPPER/x", "s3:///x"]
)
def test_an_address_that_is_none(uri: str) -> None:
    assert "give" in sentence(uri) and repr(uri) in sentence(uri)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_a_stamp_changes_with_the_object_and_only_then(store: Store) -> None:
    store.write("a/b", b"1")
    store.write("a/c", b"1")
    before = store.stamps("a/")
    assert list(before) == store.list("a/") and None not in before.values()
    assert store.stamps("a/") == before
    store.write("a/b", b"2")
    after = store.stamps("a/")
    assert after["a/b"] != before["a/b"] and after["a/c"] == before["a/c"]
