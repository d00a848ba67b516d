"""Episodes from the HDF5 files that LeWM and stable-worldmodel publish.

One row a frame in every column (`pixels`, `action`, `proprio`, `state` …), episode after episode; `ep_len` and
`ep_offset` say where each lies. Row t of `action` acts on frame t, so the last row of an episode leads nowhere and is
dropped, be it a number or NaN.
Shapes: L frames of an episode, H × W pixels, A action dimensions, d dimensions of a column.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.core.files import require_file
from pipelines.collect.closed_hdf5 import require_closed
from pipelines.store.datasets.plan import DatasetPlan, ShardPlan

USUAL = ("proprio", "state")
"""Columns that become quantities of the state where the file has them."""
NEEDED = ("pixels", "action", "ep_len", "ep_offset")
BLOCK = 1 << 24
"""Bytes that are hashed at a time."""


@dataclass(frozen=True)
class Source:
    """A file that was found to have the layout."""

    path: str
    columns: tuple[str, ...]
    lengths: NDArray[np.int64]
    """frames of each episode"""
    offsets: NDArray[np.int64]
    """row of each episode's first frame"""
    image_size: int

    def digest(self) -> str:
        """Returns the SHA-256 of the whole file, read in small blocks."""
        digest = hashlib.sha256()
        with Path(self.path).open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()


def open_source(path: str, columns: tuple[str, ...] | None = None) -> Source:
    """Returns a file whose layout was checked; no frame is read.

    Args:
        path: of the file.
        columns: that become quantities of the state; by default `proprio` and `state`, where the file has them.

    Raises:
        InputError: it is no such file; the message names what is wrong.
    """
    with _open(path) as file:
        lacking = [name for name in (*NEEDED, *(columns or ())) if name not in file]
        if lacking:
            raise InputError(f"file {path!r} lacks {', '.join(lacking)}; it has: {', '.join(file)}")
        columns = tuple(sorted(columns or [name for name in USUAL if name in file]))
        _, height, width, channels = (*file["pixels"].shape, 0, 0, 0, 0)[:4]
        if (file["pixels"].dtype, channels) != (np.uint8, 3) or height != width:
            raise InputError(f"file {path!r}: pixels are {file['pixels']}; they must be square, uint8, (rows, S, S, 3)")
        for name in ("action", *columns):
            if file[name].ndim > 2 or file[name].dtype.kind not in "fiub":
                raise InputError(f"file {path!r}: {name} is {file[name]}; it must hold a few numbers a row")
        lengths, offsets = (file[name][:].astype(np.int64) for name in ("ep_len", "ep_offset"))
        rows = min(file[name].shape[0] for name in ("pixels", "action", *columns))
    _check_episodes(path, lengths, offsets, rows)
    return Source(path, columns, lengths, offsets, int(height))


def read_shard(path: str, plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    """Yields a shard's episodes, one in memory at a time."""
    assert plan.source is not None
    source = open_source(path, plan.source.columns)
    with _open(path) as file:
        for index in shard.episodes:
            yield _read_episode(file, source, plan, index)


def _read_episode(file: Any, source: Source, plan: DatasetPlan, index: int) -> Episode:
    first = int(source.offsets[index])
    rows = slice(first, first + int(source.lengths[index]))
    action = _numbers(file["action"][rows])[:-1]
    if not np.isfinite(action).all():
        step = int(np.flatnonzero(~np.isfinite(action).all(axis=1))[0])
        raise InputError(
            f"file {source.path!r}: action {step} of episode {index} is not finite; only an episode's last may be so"
        )
    planned = plan.episode_plan(index)
    return Episode(
        index=index,
        seed=planned.seed,
        split=planned.split,
        variation={},
        policy=planned.policy,
        pixels=file["pixels"][rows],
        action=action,
        state={name: _numbers(file[name][rows]) for name in source.columns},
    )


def _check_episodes(path: str, lengths: NDArray[np.int64], offsets: NDArray[np.int64], rows: int) -> None:
    if not len(lengths) or len(lengths) != len(offsets):
        raise InputError(f"file {path!r} has {len(lengths)} entries in ep_len and {len(offsets)} in ep_offset")
    short = np.flatnonzero(lengths < 2)
    if len(short):
        raise InputError(f"file {path!r}: episode {short[0]} has {lengths[short[0]]} frames; one step needs 2")
    outside = np.flatnonzero((offsets < 0) | (offsets + lengths > rows))
    if len(outside):
        raise InputError(f"file {path!r}: episode {outside[0]} ends after the last of {rows} rows; the file is cut off")


def _numbers(rows: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), -1)


def _open(path: str) -> Any:
    import h5py
    import hdf5plugin  # noqa: F401 - teaches h5py the blosc filters

    require_file(f"file {path!r}", path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"file {path!r} is no HDF5 file that can be read: {error}") from error
    try:
        require_closed(file, path)
    except BaseException:
        file.close()
        raise
    return file
