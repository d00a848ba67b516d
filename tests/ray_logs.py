"""The log lines of workers of the tests' Ray, as they lie in its session folder."""

import json
import time
from pathlib import Path
from typing import Any

SECONDS = 60


def worker_lines(**fields: str) -> list[dict[str, Any]]:
    """Returns the lines that are JSON objects and have these fields, of all workers that there were."""
    import ray

    found = []
    node: Any = ray._private.worker._global_node
    for path in sorted(Path(node.get_logs_dir_path()).glob("worker-*.err")):
        for line in path.read_text(errors="replace").splitlines():
            if not line.startswith("{"):
                continue
            try:
                read: dict[str, Any] = json.loads(line)
            except ValueError:  # its end is still to be written
                continue
            if fields.items() <= read.items():
                found.append(read)
    return found


def wait_for_lines(count: int, **fields: str) -> list[dict[str, Any]]:
    """Returns the lines with these fields as soon as there are as many.

    Raises:
        AssertionError: there are fewer, after a time that is long enough on a busy machine.
    """
    deadline = time.monotonic() + SECONDS
    while len(found := worker_lines(**fields)) < count:
        assert time.monotonic() < deadline, (fields, found, worker_lines())
        time.sleep(0.5)
    return found
