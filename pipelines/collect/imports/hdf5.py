"""Episodes from the HDF5 files that LeWM and stable-worldmodel publish.

One row a frame in every column (`pixels`, `action`, `proprio`, `state` …), episode after episode; `ep_len` and
`ep_offset` say where each lies. Row t of `action` acts on frame t, so the last row of an episode leads nowhere and is
dropped, be it a number or NaN.
Shapes: N rows, H × W pixels, A action dimensions, d dimensions of a column.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_numbers
from pipelines.collect.imports.columns import Mapped, read_columns
from pipelines.collect.imports.hdf5_layout import (
    FRAMES,
    EpisodeRanges,
    column_widths,
    open_file,
    read_frames,
    read_ranges,
    reading,
)
from pipelines.collect.imports.published import published_columns
from pipelines.store.datasets.plan import DatasetPlan, ImportedFile, ShardPlan

USUAL = ("proprio", "state")
"""Columns that become quantities of the state where the file has them."""
BLOCK = 1 << 24
"""Bytes that are hashed at a time."""
ROWS = 1 << 16
"""Rows whose numbers are checked at a time."""


@dataclass(frozen=True)
class Source:
    """A file that was found to have the layout."""

    path: str
    pixels: str
    """column of the frames"""
    quantities: tuple[Mapped, ...]
    widths: Mapping[str, int]
    """values of a row of each column"""
    ranges: EpisodeRanges
    image_size: int

    @property
    def action_size(self) -> int:
        """Returns A."""
        return self.widths["action"]

    @property
    def sizes(self) -> dict[str, int]:
        """Returns the dimensions of each quantity."""
        return {mapped.name: mapped.check(self.widths) for mapped in self.quantities}

    def digest(self) -> str:
        """Returns the SHA-256 of the whole file, read in small blocks."""
        digest = hashlib.sha256()
        with Path(self.path).open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def facts(self) -> ImportedFile:
        """Returns what a plan keeps of the file."""
        return ImportedFile(
            sha256=self.digest(),
            columns=tuple(mapped.text for mapped in self.quantities),
            pixels=self.pixels,
            skipped=self.ranges.skipped,
        )

    def check_numbers(self) -> None:
        """Passes where every action and quantity can be stored.

        Raises:
            InputError: one cannot; the message names episode, frame and column.
        """
        with reading(self.path), open_file(self.path) as file:
            for first in range(0, self.ranges.rows, ROWS):
                self._check_rows(file, first, min(first + ROWS, self.ranges.rows))

    def _check_rows(self, file: Any, first: int, end: int) -> None:
        episode, frame, used = self.ranges.places(first, end)
        checks: list[tuple[list[str], NDArray[np.bool_], Mapped | None]] = [
            (["action"], used & ~self.ranges.last_of_episode(first, end), None)
        ]
        checks += [(mapped.columns, used, mapped) for mapped in self.quantities]
        for columns, wanted, mapped in checks:
            rows = np.flatnonzero(wanted)
            held = {name: read_rows(file, self.path, name, first, end)[rows] for name in columns}
            try:
                if mapped is None:
                    to_numbers(held["action"], "action")
                else:
                    mapped.values(held, len(rows))
            except UnfitValueError as error:
                row = rows[error.row or 0]
                raise error.at(f"file {self.path!r}, episode {episode[row]}, frame {frame[row]}") from error


def open_source(path: str, columns: tuple[str, ...] = (), pixels: str = FRAMES, world: str | None = None) -> Source:
    """Returns a file whose layout was checked; no frame is read.

    Args:
        path: of the file.
        columns: that become quantities of the state, or how these are made; by default what is known of published
            files of the world, else `proprio` and `state` where the file has them.
        pixels: column of the frames.
        world: that the file shows.

    Raises:
        InputError: it is no such file; the message names what is wrong.
    """
    given = read_columns(columns)
    wanted = ("action", *(name for mapped in given for name in mapped.columns))
    with reading(path), open_file(path) as file:
        rows, size = read_frames(file, path, pixels)
        widths = column_widths(file, path, rows, wanted)
        ranges = read_ranges(file, path, rows)
    quantities = given or read_columns(published_columns(world or "", widths) or _usual(widths))
    for mapped in quantities:
        mapped.check(widths)
    return Source(path, pixels, quantities, widths, ranges, size)


def read_shard(path: str, plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    """Yields a shard's episodes, one in memory at a time."""
    assert plan.source is not None
    # A file without columns for quantities must not be given the usual ones here.
    source = open_source(path, plan.source.columns, plan.source.pixels)
    quantities = source.quantities if plan.source.columns else ()
    with open_file(path) as file:
        for index in shard.episodes:
            yield _read_episode(file, source, quantities, plan, index)


def read_rows(file: Any, path: str, column: str, first: int, end: int) -> NDArray[Any]:
    """Returns rows of a column, (N, d).

    Raises:
        InputError: the file is damaged there.
    """
    try:
        rows = file[column][first:end]
    except OSError as error:
        raise InputError(f"file {path!r}: {column} cannot be read from row {first} on ({error})") from error
    return np.asarray(rows).reshape(end - first, -1)


def _usual(widths: Mapping[str, int]) -> list[str]:
    """Returns the usual columns of a file, the members of a group each under a name of its own."""
    members = [name for name in widths if name.partition("/")[0] in USUAL and "/" in name]
    return [*(name for name in USUAL if name in widths), *(f"{name.replace('/', '_')}={name}" for name in members)]


def _read_episode(file: Any, source: Source, quantities: tuple[Mapped, ...], plan: DatasetPlan, index: int) -> Episode:
    number, first, end = source.ranges.bounds(index)
    planned = plan.episode_plan(index)
    where = f"file {source.path!r}, episode {number}"
    try:
        action = to_numbers(read_rows(file, source.path, "action", first, end - 1), "action")
        columns = {name for mapped in quantities for name in mapped.columns}
        held = {name: read_rows(file, source.path, name, first, end) for name in columns}
        state = {mapped.name: mapped.values(held, end - first) for mapped in quantities}
    except UnfitValueError as error:
        raise error.at(where if error.row is None else f"{where}, frame {error.row}") from error
    try:
        pixels = file[source.pixels][first:end]
    except OSError as error:
        raise InputError(f"{where}: its frames cannot be read ({error})") from error
    return Episode(
        index=index,
        seed=planned.seed,
        split=planned.split,
        variation={},
        policy=planned.policy,
        pixels=pixels,
        action=action,
        state=state,
    )
