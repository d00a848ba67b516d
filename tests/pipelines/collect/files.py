"""HDF5 files of episodes as others write them, right and wrong."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

LENGTHS = (8,) * 20


def episodes_file(path: Path, lengths: tuple[int, ...] = LENGTHS, action_size: int = 2, **columns: Any) -> str:
    """Writes frames, actions and the columns given, rows in the order of the episodes, and returns the path.

    A column is an array of a row for each frame, or None to leave out what would be there.
    """
    rows, rng = sum(lengths), np.random.default_rng(0)
    held = {
        "pixels": rng.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8),
        "action": rng.uniform(-1, 1, (rows, action_size)).astype(np.float32),
        "ep_len": np.array(lengths),
        "ep_offset": np.cumsum([0, *lengths[:-1]]),
    }
    with h5py.File(path, "w") as file:
        for name, values in (held | columns).items():
            if values is not None:
                file[name] = values
    return str(path)
