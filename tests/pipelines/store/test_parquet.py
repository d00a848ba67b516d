"""Parquet files come back as they were written, damage is seen, and no thread is left that could abort the process."""

import subprocess
import sys

import pyarrow as pa
import pytest

from pipelines.store.parquet import open_parquet, parquet_bytes, read_parquet
from tests.conftest import ROOT

TABLE = pa.table({"step": list(range(500)), "metric": [f"m{i % 7}" for i in range(500)]}, metadata={"id": "x"})
COUNT = """
import os
import pyarrow as pa
from pipelines.store.parquet import open_parquet, parquet_bytes, read_parquet
def named():
    return [name for name in map(read, os.listdir("/proc/self/task")) if "jemalloc" not in name]
def read(task):
    with open(f"/proc/self/task/{task}/comm") as file:
        return file.read()
before = len(named())
data = parquet_bytes(pa.table({"step": list(range(500))}), checksums=True)
read_parquet(data)
read_parquet(open_parquet(data, checksums=True), ["step"])
print(len(named()) - before)
"""


@pytest.mark.parametrize("checksums", [False, True])
def test_a_table_comes_back(checksums: bool) -> None:
    data = parquet_bytes(TABLE, checksums)
    assert read_parquet(data) == TABLE and read_parquet(data).schema.metadata == {b"id": b"x"}
    assert read_parquet(open_parquet(data, checksums), ["metric"]) == TABLE.select(["metric"])


def test_a_changed_page_is_seen() -> None:
    data = bytearray(parquet_bytes(pa.table({"value": [float(i) for i in range(2000)]}), checksums=True))
    data[60] ^= 1
    with pytest.raises((OSError, pa.ArrowException)):
        read_parquet(open_parquet(bytes(data), checksums=True))


def test_reading_and_writing_start_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "0\n", done.stdout + done.stderr
