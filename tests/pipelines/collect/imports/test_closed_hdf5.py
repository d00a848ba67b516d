"""An HDF5 file of a stranger never shows what lies in other files."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from jepa.core.errors import InputError
from pipelines.collect.imports.closed_hdf5 import MOST_OBJECTS, require_closed
from pipelines.collect.imports.hdf5 import open_source

ROWS, SIZE = 6, 4


def write_layout(path: Path, leave_out: str = "") -> None:
    """Writes a file that can be imported, but for one column."""
    columns = {
        "pixels": np.zeros((ROWS, SIZE, SIZE, 3), np.uint8),
        "action": np.zeros((ROWS, 2), np.float32),
        "state": np.zeros((ROWS, 3), np.float32),
        "ep_len": np.array([ROWS]),
        "ep_offset": np.array([0]),
    }
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if name != leave_out:
                file[name] = values


def external_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("state", (ROWS, 3), np.uint8, external=[(str(secret), 0, ROWS * 3)])


def external_link(file: h5py.File, secret: Path) -> None:
    file["state"] = h5py.ExternalLink(str(secret), "/state")


def link_of_a_group(file: h5py.File, secret: Path) -> None:
    file.create_group("more")["state"] = h5py.ExternalLink(str(secret), "/state")
    file["state"] = h5py.SoftLink("/more/state")


def virtual_column(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout((ROWS, 3), np.float32)
    layout[:] = h5py.VirtualSource(str(secret), "state", (ROWS, 3))
    file.create_virtual_dataset("state", layout)


def column_that_nobody_asks_for(file: h5py.File, secret: Path) -> None:
    file["state"] = np.zeros((ROWS, 3), np.float32)
    file["deep/down/here"] = h5py.ExternalLink(str(secret), "/state")


OUTWARD = [external_storage, external_link, link_of_a_group, virtual_column, column_that_nobody_asks_for]


@pytest.mark.parametrize("lead", OUTWARD, ids=lambda lead: lead.__name__)
def test_what_leads_to_another_file_is_refused(tmp_path: Path, lead: Callable[[h5py.File, Path], None]) -> None:
    secret, path = tmp_path / "secret", tmp_path / "foreign.h5"
    write_layout(secret)
    write_layout(path, leave_out="state")
    with h5py.File(path, "a") as file:
        lead(file, secret)
    with pytest.raises(InputError, match=r"foreign\.h5': .*(another file|other files); copy .* into this one$"):
        open_source(str(path))


def test_links_within_the_file_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "own.h5"
    write_layout(path, leave_out="state")
    with h5py.File(path, "a") as file:
        file["more/state"] = np.zeros((ROWS, 3), np.float32)
        file["state"] = h5py.SoftLink("/more/state")
        file["again"] = file["more/state"]
        file["more/round"] = file["/"]  # a circle
    assert open_source(str(path)).image_size == SIZE


def test_a_file_of_too_many_objects_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "many.h5", "w") as file:
        for number in range(MOST_OBJECTS + 1):
            file.create_group(str(number))
        with pytest.raises(InputError, match="more than 10000 objects"):
            require_closed(file, "many.h5")
