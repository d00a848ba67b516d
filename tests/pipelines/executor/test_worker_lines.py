"""What units log in workers of either kind says which run, dataset and unit it is about."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.executor import JobLog, UnitsError, run_units
from tests.pipelines.executor.path_folder import PathFolder
from tests.pipelines.executor.test_unit_log import Asked
from tests.ray_logs import wait_for_lines

log = logging.getLogger("pipelines.somewhere")
ABOUT = {"dataset": "d0@2", "model": "m0@1a2b3c4d"}
DRIVER = """
import sys
from pathlib import Path
from infra.observability.event_log import configure_logging
from tests.pipelines.executor.test_worker_lines import drive
if __name__ == "__main__":
    configure_logging()
    drive(Path(sys.argv[1]), "local")
"""


def complain(number: int) -> int:
    """A unit that warns, and of which one fails."""
    log.warning("number %d", number)
    if number == 2:
        raise OSError("two is broken")
    return number


def drive(folder: Path, executor: str) -> str:
    """Runs three units in two workers, of which one fails for good, and returns the run's id."""
    with pytest.raises(UnitsError), JobLog(PathFolder(folder), Asked(), lambda n: f"number-{n}", ABOUT) as job:
        run_units(complain, [1, 2, 3], executor="ray" if executor == "ray" else "local", workers=2, retries=0, log=job)
    return job.run


def test_child_processes_write_json_with_their_context(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = os.environ | {"JEPA_LOG": "json", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(script), str(tmp_path / "log")]
    (tmp_path / "log").mkdir()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (started,), (ended,) = ([line for line in lines if line["event"] == name] for name in ("job started", "job failed"))
    about = {**ABOUT, "run": started["run"], "job": "test-t0"}
    assert all(about.items() <= line.items() for line in lines)
    assert (ended["level"], ended["total"], ended["done"], ended["failed"]) == ("error", 3, 2, 1)
    words = {line["unit"]: line for line in lines if line["event"].startswith("number ")}
    assert set(words) == {"number-1", "number-2", "number-3"}
    assert started["pid"] not in {line["pid"] for line in words.values()}
    ends = {line["unit"]: line for line in lines if line["event"] in ("unit done", "unit failed")}
    assert {unit: line["level"] for unit, line in ends.items()} == {
        "number-1": "info",
        "number-2": "error",
        "number-3": "info",
    }
    assert "two is broken" in ends["number-2"]["exception"] and ends["number-1"]["seconds"] >= 0
    assert all(line["pid"] == words[unit]["pid"] for unit, line in ends.items())


@pytest.mark.ray
def test_ray_actors_write_json_with_their_context(tmp_path: Path) -> None:
    run = drive(tmp_path, "ray")
    for number in (1, 2, 3):
        (line,) = wait_for_lines(1, run=run, event=f"number {number}")
        assert {**ABOUT, "unit": f"number-{number}", "job": "test-t0", "level": "warning"}.items() <= line.items()
        assert line["pid"] != os.getpid() and line["host"]
    (failed,) = wait_for_lines(1, run=run, event="unit failed")
    assert failed["unit"] == "number-2" and "two is broken" in failed["exception"]
