"""WebDataset: a tar archive whose files with the same name before the first dot make one sample.

A chunk is `e<episode>-f<first frame>` with `.pixels.<codec>`, `.action.npy`, `.state.<name>.npy` and `.chunk.json`.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.store.formats.container import FORMATS, Container, ShardFile, Span, StoredChunk

BLOCK = 512
NUMBERS = ("episode", "first_frame", "frames", "height", "width")


class WebDataset(Container):
    """The members of a chunk lie next to each other, so that one byte range fetches them all."""

    suffix = "tar"

    def pack(self, chunks: Sequence[StoredChunk], pixels_suffix: str) -> tuple[bytes, list[Span]]:
        parts: list[bytes] = []
        spans: list[Span] = []
        position = 0
        for chunk in chunks:
            record = b"".join(_member(name, data) for name, data in _files(chunk, pixels_suffix))
            spans.append(Span(position, len(record)))
            position += len(record)
            parts.append(record)
        # Two empty blocks end an archive.
        return b"".join([*parts, bytes(2 * BLOCK)]), spans

    def unpack(self, record: bytes, quantities: Sequence[str]) -> StoredChunk:
        files = dict(_members(record))
        pixels = next((data for name, data in files.items() if name.startswith("pixels.")), None)
        wanted = {"chunk.json", "action.npy", *(f"state.{name}.npy" for name in quantities)}
        if pixels is None or not wanted <= set(files):
            raise ValueError(f"the sample holds {sorted(files)}, not pixels and {sorted(wanted)}")
        numbers = json.loads(files["chunk.json"])
        state = {name: _load(files[f"state.{name}.npy"]) for name in sorted(quantities)}
        return StoredChunk(
            **{name: numbers[name] for name in NUMBERS}, pixels=pixels, action=_load(files["action.npy"]), state=state
        )

    def index(self, shards: Sequence[ShardFile], quantities: Sequence[str]) -> dict[str, bytes]:
        # Its readers take a list of addresses and want no index.
        return {}


def _files(chunk: StoredChunk, pixels_suffix: str) -> Iterator[tuple[str, bytes]]:
    key = f"e{chunk.episode:08d}-f{chunk.first_frame:06d}"
    numbers = {name: getattr(chunk, name) for name in NUMBERS}
    yield f"{key}.action.npy", _dump(chunk.action)
    yield f"{key}.chunk.json", json.dumps(numbers, sort_keys=True).encode()
    yield f"{key}.pixels.{pixels_suffix}", chunk.pixels
    for name, values in sorted(chunk.state.items()):
        yield f"{key}.state.{name}.npy", _dump(values)


def _member(name: str, data: bytes) -> bytes:
    """Returns a tar header without any clock, user or machine in it, and the padded data."""
    header = tarfile.TarInfo(name)
    header.size = len(data)
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % BLOCK)


def _members(record: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields (name after the first dot, data); tarfile does the same a hundred times slower."""
    position = 0
    while position < len(record):
        header = record[position : position + BLOCK]
        if len(header) < BLOCK:
            raise ValueError("the sample ends within a tar header")
        name = header[:100].rstrip(b"\0").decode()
        size = int(header[124:136].rstrip(b"\0 ") or b"0", 8)
        data = record[position + BLOCK : position + BLOCK + size]
        if len(data) < size:
            raise ValueError(f"the sample ends within {name}")
        yield name.partition(".")[2], data
        position += BLOCK + size + (-size % BLOCK)


def _dump(array: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _load(data: bytes) -> NDArray[np.float32]:
    try:
        return np.asarray(np.load(io.BytesIO(data), allow_pickle=False), dtype=np.float32)
    except Exception as error:  # numpy parses the header as Python, and fails in as many ways as that
        raise ValueError("an array of the sample cannot be read") from error


FORMATS.register("webdataset")(WebDataset())
