"""Configuration files and protocols in YAML."""

import tempfile
from pathlib import Path

from flows.cli.sources import read_file
from tests.fuzz.harness import Target, run_by_hand

EXAMPLE = b"""world: two_room
episodes: 40
since: 2026-11-25
policy: {expert: 0.5, random: 0.5}
shares: [0.8, 0.1, &rest 0.1, *rest]
note: !!str "text"
"""


def target() -> Target:
    """Returns the target."""
    path = Path(tempfile.mkdtemp()) / "config.yaml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_file(str(path), "collect")

    return Target((EXAMPLE,), read)


if __name__ == "__main__":
    run_by_hand(target())
