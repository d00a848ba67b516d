"""Arrow tables as the bytes of Parquet files, and back, in the calling thread alone.

Arrow's own threads keep what they read a moment longer than they need it. One that still held Python's bytes while the
process ends would abort it, after the work is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_bytes(table: pa.Table, checksums: bool = False, rows_a_group: int | None = None) -> bytes:
    """Returns a Parquet file that holds a table; `checksums` gives each page one.

    Each group of rows has statistics, by which a reader passes over those that a query does not ask for.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=checksums, row_group_size=rows_a_group)
    return bytes(sink.getvalue().to_pybytes())


def open_parquet(data: bytes, checksums: bool = False) -> pq.ParquetFile:
    """Returns the Parquet file of which these are the bytes; `checksums` compares those of its pages when it is read.

    Raises:
        pa.ArrowException, OSError: it is none.
    """
    with _names_are_text():
        return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=checksums)


def read_parquet(file: bytes | pq.ParquetFile, columns: list[str] | None = None) -> pa.Table:
    """Returns some columns of a Parquet file, by default all.

    Raises:
        pa.ArrowException, OSError: its bytes are damaged.
    """
    parquet = open_parquet(file) if isinstance(file, bytes) else file
    with _names_are_text():
        return parquet.read(columns=columns, use_threads=False)


@contextmanager
def _names_are_text() -> Iterator[None]:
    """Takes a name that is no text for what it is, damage: Arrow leaves Python to find it, in words of its own."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid(f"a name in it is no text ({error.reason})") from error
