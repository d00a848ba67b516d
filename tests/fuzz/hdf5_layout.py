"""HDF5 files of episodes, as others publish them."""

import tempfile
from pathlib import Path

import h5py
import numpy as np

from pipelines.collect.imports.hdf5 import open_source
from tests.fuzz.harness import Target, run_by_hand


def target() -> Target:
    """Returns the target."""
    path = Path(tempfile.mkdtemp()) / "published.h5"
    with h5py.File(path, "w") as file:
        file["pixels"] = np.zeros((30, 8, 8, 3), np.uint8)
        file["action"], file["state"] = np.zeros((30, 2), np.float32), np.zeros((30, 4))
        file["ep_len"], file["ep_offset"] = np.array([10, 20], np.int32), np.array([0, 10])
    example = path.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        open_source(str(path)).check_numbers()

    return Target((example,), read)


if __name__ == "__main__":
    run_by_hand(target())
