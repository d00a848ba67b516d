"""Where a cluster that a test starts notes its address: by default a folder that not every machine has."""

import os
from pathlib import Path


def note_address_in(folder: str | Path) -> None:
    """Has this process, and those that it starts, keep the address of its cluster below a folder."""
    Path(folder, "ray").mkdir(parents=True, exist_ok=True)
    os.environ["RAY_TMPDIR"] = str(folder)
