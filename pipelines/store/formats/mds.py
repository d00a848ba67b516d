"""MDS, the container of mosaicml-streaming, written without that package: importing it costs an actor seconds.

A shard is `u32 n · u32 offsets[n+1] · config JSON · samples`; a sample is the u32 sizes of its variable columns, then
all columns in the order of the config. An `index.json` beside the shards lists them. Numbers are little-endian.
"""

import json
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.store.formats.container import FORMATS, Container, ShardFile, Span, StoredChunk

INTEGERS = ("episode", "first_frame", "frames", "height", "width")
FLOAT_ARRAY = "ndarray:float32"
FLOAT = np.dtype("<f4")


class Mds(Container):
    """One sample for each chunk: action, episode, first_frame, frames, height, pixels, state/<name> and width."""

    suffix = "mds"

    def pack(self, chunks: Sequence[StoredChunk], pixels_suffix: str) -> tuple[bytes, list[Span]]:
        columns = _columns(list(chunks[0].state))
        samples = [_encode_sample(chunk, columns) for chunk in chunks]
        config = json.dumps(_config(columns), sort_keys=True).encode()
        start = 4 * (len(samples) + 2) + len(config)
        offsets = np.cumsum([start, *map(len, samples)])
        if offsets[-1] >= 2**32:
            raise ValueError(
                f"an MDS shard holds at most 4 GiB, not {offsets[-1]} bytes; put fewer episodes into a shard"
            )
        data = b"".join([struct.pack("<I", len(samples)), offsets.astype("<u4").tobytes(), config, *samples])
        return data, [Span(int(offset), len(sample)) for offset, sample in zip(offsets, samples, strict=False)]

    def unpack(self, record: bytes, quantities: Sequence[str]) -> StoredChunk:
        columns, variable = _layout(tuple(quantities))
        position = 4 * len(variable)
        if len(record) < position:
            raise ValueError("the sample ends within its sizes")
        sizes = dict(zip(variable, struct.unpack_from(f"<{len(variable)}I", record), strict=True))
        values: dict[str, Any] = {}
        for name, encoding in columns.items():
            size = sizes.get(name, 8)
            values[name] = _decode(record[position : position + size], encoding)
            position += size
        if position != len(record):
            raise ValueError(f"the sample has {len(record)} bytes where its columns say {position}")
        state = {name: values.pop(f"state/{name}") for name in sorted(quantities)}
        return StoredChunk(**values, state=state)

    def index(self, shards: Sequence[ShardFile], quantities: Sequence[str]) -> dict[str, bytes]:
        config = _config(_columns(quantities))
        entries = [
            {
                **config,
                "raw_data": {"basename": shard.name, "bytes": shard.bytes, "hashes": {}},
                "samples": shard.chunks,
                "zip_data": None,
            }
            for shard in shards
        ]
        return {"index.json": json.dumps({"shards": entries, "version": 2}, sort_keys=True).encode()}


@lru_cache(maxsize=64)
def _layout(quantities: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Returns the encoding of each column, and the columns whose size varies."""
    columns = _columns(quantities)
    return columns, [name for name, encoding in columns.items() if encoding != "int"]


def _columns(quantities: Sequence[str]) -> dict[str, str]:
    """Returns the encoding of each column, in the order in which a sample holds them."""
    columns = dict.fromkeys(INTEGERS, "int") | {"pixels": "bytes", "action": FLOAT_ARRAY}
    columns |= {f"state/{name}": FLOAT_ARRAY for name in quantities}
    return dict(sorted(columns.items()))


def _config(columns: dict[str, str]) -> dict[str, Any]:
    return {
        "column_encodings": list(columns.values()),
        "column_names": list(columns),
        "column_sizes": [8 if encoding == "int" else None for encoding in columns.values()],
        "compression": None,
        "format": "mds",
        "hashes": [],
        "size_limit": None,
        "version": 2,
    }


def _encode_sample(chunk: StoredChunk, columns: dict[str, str]) -> bytes:
    state = {f"state/{name}": _encode_array(values) for name, values in chunk.state.items()}
    integers = {name: struct.pack("<q", getattr(chunk, name)) for name in INTEGERS}
    values = {"pixels": chunk.pixels, "action": _encode_array(chunk.action), **state, **integers}
    sizes = [len(values[name]) for name, encoding in columns.items() if encoding != "int"]
    return struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(values[name] for name in columns)


def _encode_array(array: NDArray[np.float32]) -> bytes:
    """Returns `u8 dimensions × 4 + 2 · u32 shape · float32 values`; the 2 says that the shape is in u32."""
    shape = struct.pack(f"<B{array.ndim}I", array.ndim << 2 | 2, *array.shape)
    return shape + array.astype("<f4", copy=False).tobytes()


def _decode(data: bytes, encoding: str) -> Any:
    if encoding == "bytes":
        return data
    if encoding == "int":
        return int.from_bytes(data, "little", signed=True) if len(data) == 8 else _short("integer")
    dimensions = data[0] >> 2 if data else _short("array")
    start = 1 + 4 * dimensions
    if len(data) < start:
        _short("array")
    return np.frombuffer(data, FLOAT, offset=start).reshape(struct.unpack_from(f"<{dimensions}I", data, 1))


def _short(what: str) -> int:
    raise ValueError(f"the sample ends within an {what}")


FORMATS.register("mds")(Mds())
