"""The layout of an HDF5 file of episodes, checked by what is in it before anything is written.

Shapes: N rows of the file, E episodes that are imported, S × S pixels, d values of a row.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_counts
from jepa.core.input.files import require_file
from pipelines.collect.imports.closed_hdf5 import require_closed

FRAMES = "pixels"
RANGES = ("ep_len", "ep_offset")
DEEPEST = 3
"""Groups within groups that are looked into."""


@dataclass(frozen=True)
class EpisodeRanges:
    """Which rows belong to which episode; the ranges of all of them fill the file and share no row."""

    rows: int
    """N"""
    lengths: NDArray[np.int64]
    """frames of each episode of the file"""
    offsets: NDArray[np.int64]
    """row of each one's first frame"""

    @property
    def usable(self) -> NDArray[np.int64]:
        """Returns the numbers of the episodes that hold a step, (E,): one needs two frames."""
        return np.flatnonzero(self.lengths >= 2)

    @property
    def skipped(self) -> int:
        """Returns how many hold none."""
        return len(self.lengths) - len(self.usable)

    @property
    def steps(self) -> int:
        """Returns the steps of the longest episode."""
        return int(self.lengths.max()) - 1

    def bounds(self, index: int) -> tuple[int, int, int]:
        """Returns an imported episode's number in the file, its first row and the row after its last."""
        number = int(self.usable[index])
        first = int(self.offsets[number])
        return number, first, first + int(self.lengths[number])

    def places(self, first: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Returns, of each of some rows, its episode, its frame there, and whether that episode is imported."""
        filled = np.flatnonzero(self.lengths)
        order = filled[np.argsort(self.offsets[filled])]
        row = np.arange(first, end)
        episode = order[np.searchsorted(self.offsets[order], row, side="right") - 1]
        return episode, row - self.offsets[episode], self.lengths[episode] >= 2

    def last_of_episode(self, first: int, end: int) -> NDArray[np.bool_]:
        """Returns whether each of some rows ends its episode."""
        episode, frame, _ = self.places(first, end)
        return np.asarray(frame == self.lengths[episode] - 1)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Says in one sentence that a file is damaged, whatever h5py makes of its bytes.

    Raises:
        InputError: something in the block failed.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # h5py fails on damaged bytes in as many ways as there are
        what = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"file {path!r} is damaged, or not such a file: {what}") from error


def open_file(path: str) -> Any:
    """Returns an open HDF5 file.

    Raises:
        InputError: there is none, or it leads to other files.
    """
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


def read_frames(file: Any, path: str, pixels: str) -> tuple[int, int]:
    """Returns the number of frames of the file, N, and the side of one, S.

    Raises:
        InputError: the column of the frames is missing, is a group of several, or holds no square RGB pictures.
    """
    columns = dict(_columns(file))
    if pixels not in columns:
        cameras = [name for name, held in columns.items() if held.ndim == 4]
        members = [name for name in columns if name.startswith(f"{pixels}/")]
        what = f"{pixels} is a group of {', '.join(members)}" if members else f"it lacks {pixels}"
        remedy = f"choose the camera by --pixels {cameras[0]}" if cameras else f"it has: {', '.join(columns)}"
        raise InputError(f"file {path!r}: {what}; {remedy}")
    held = columns[pixels]
    rows, height, width, channels = (*held.shape, 0, 0, 0, 0)[:4]
    if (held.dtype, channels, held.ndim) != (np.uint8, 3, 4) or height != width:
        raise InputError(f"file {path!r}: {pixels} are {held}; they must be square, uint8, (rows, S, S, 3)")
    return int(rows), int(height)


def column_widths(file: Any, path: str, rows: int, wanted: Sequence[str]) -> dict[str, int]:
    """Returns the number of values of a row of each column of numbers, those that are wanted among them.

    Raises:
        InputError: one that is wanted is missing, is a group, holds no numbers, or has not a row for each frame.
    """
    columns = dict(_columns(file))
    for name in dict.fromkeys(wanted):
        members = [member for member in columns if member.startswith(f"{name}/")]
        if members:
            raise InputError(f"file {path!r}: {name} is a group; name one of: {', '.join(members)}")
        if name not in columns:
            raise InputError(f"file {path!r} lacks {name}; it has: {', '.join(columns)}")
        held = columns[name]
        if held.ndim not in (1, 2) or held.dtype.kind not in "fiub" or 0 in held.shape[1:]:
            raise InputError(f"file {path!r}: {name} is {held}; it must hold a few numbers a row")
        if held.shape[0] != rows:
            raise InputError(f"file {path!r}: {name} has {held.shape[0]} rows and the frames are {rows}; it is cut off")
    fitting = {
        name: held
        for name, held in columns.items()
        if name not in RANGES and held.ndim in (1, 2) and held.dtype.kind in "fiub" and held.shape[0] == rows
    }
    return {name: int(np.prod(held.shape[1:])) for name, held in fitting.items()}


def read_ranges(file: Any, path: str, rows: int) -> EpisodeRanges:
    """Returns where the episodes lie.

    Raises:
        InputError: lengths or offsets are no whole numbers, do not fit the file, leave rows out, or share some.
    """
    columns = dict(_columns(file))
    for name in RANGES:
        if name not in columns:
            raise InputError(f"file {path!r} lacks {name}; it has: {', '.join(columns)}")
    try:
        lengths, offsets = (to_counts(columns[name][()], name) for name in RANGES)
    except UnfitValueError as error:
        where = "" if error.row is None else f", episode {error.row}"
        raise error.at(f"file {path!r}{where}") from error
    if not len(lengths) or len(lengths) != len(offsets):
        raise InputError(f"file {path!r} has {len(lengths)} entries in ep_len and {len(offsets)} in ep_offset")
    _check_ranges(path, lengths, offsets, rows)
    ranges = EpisodeRanges(rows, lengths, offsets)
    if not len(ranges.usable):
        raise InputError(f"file {path!r}: no episode has two frames, which one step needs")
    return ranges


def _check_ranges(path: str, lengths: NDArray[np.int64], offsets: NDArray[np.int64], rows: int) -> None:
    negative = np.flatnonzero((lengths < 0) | (offsets < 0))
    if len(negative):
        episode = negative[0]
        raise InputError(
            f"file {path!r}: episode {episode} has ep_len {lengths[episode]} and ep_offset {offsets[episode]}"
        )
    outside = np.flatnonzero(offsets + lengths > rows)
    if len(outside):
        raise InputError(f"file {path!r}: episode {outside[0]} ends after the last of {rows} rows; the file is cut off")
    filled = np.flatnonzero(lengths)
    order = filled[np.argsort(offsets[filled], kind="stable")]
    ends = np.append(0, (offsets + lengths)[order])
    starts = np.append(offsets[order], rows)
    for place in np.flatnonzero(starts != ends):
        gap = int(starts[place] - ends[place])
        if gap < 0:
            raise InputError(
                f"file {path!r}: episodes {order[place - 1]} and {order[place]} share frames, from row "
                f"{starts[place]} on, which training and test would then both see; correct ep_len or ep_offset"
            )
        raise InputError(
            f"file {path!r}: rows {ends[place]} to {starts[place] - 1} belong to no episode; "
            "correct ep_len or ep_offset"
        )


def _columns(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the path and the dataset of each column, those in groups after a slash; a link that leads nowhere is none.

    Links may lead in a circle, hence the end to how deep it looks.
    """
    for name in group:
        held = group.get(name)
        if getattr(held, "shape", None) is not None:
            yield prefix + name, held
        elif hasattr(held, "items") and prefix.count("/") < DEEPEST:
            yield from _columns(held, f"{prefix}{name}/")
