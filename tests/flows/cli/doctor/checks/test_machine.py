"""The doctor's check of the machine: little room, low limits and long names are found."""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flows.cli.doctor.checks import machine
from flows.cli.doctor.findings import Step
from infra.ray_cluster.connection import LONGEST_TMPDIR
from tests.flows.cli.doctor.checked import findings, statuses

DISKS = ("disk of the store", "disk of the shard cache", "temporary folder")
LIMITED = """
import resource, sys
from flows.cli.main import main
resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(["doctor", "--only", "machine", "--json", "--seconds", "120", "--store", sys.argv[1]]))
"""


@pytest.mark.parametrize(("free", "status"), [(10**12, "ok"), (5 * 10**9, "warning"), (10**8, "failed")])
def test_little_room_is_found(free: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_bytes", lambda folder: free)
    found = findings("machine", str(tmp_path / "store"))
    assert [found[step].status for step in DISKS] == [status] * 3
    assert found["shared memory"].status == ("warning" if free < 2 * 10**8 else "ok")


def test_the_room_of_a_folder_that_is_not_there_is_that_of_its_disk(tmp_path: Path) -> None:
    assert machine.free_bytes(tmp_path / "a" / "b") == pytest.approx(machine.free_bytes(tmp_path), rel=0.1)
    assert list(tmp_path.iterdir()) == []


def test_low_limits_of_the_process_are_found(tmp_path: Path) -> None:
    """Files of no bytes keep shared memory from being made, as a full /dev/shm does."""
    answer = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert answer.returncode == 1, answer.stderr
    found = {finding["step"]: finding for finding in json.loads(answer.stdout)["findings"]}
    assert found["open files"]["status"] == "failed" and "200 for a process" in found["open files"]["found"]
    assert found["shared memory"]["status"] == "failed" and "/dev/shm" in found["shared memory"]["remedy"]


@pytest.mark.parametrize(
    ("soft", "hard", "status", "remedy"),
    [
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, "ok", ""),
        (1024, 4096, "ok", ""),
        (512, 4096, "warning", "ulimit -n 4096"),
        (100, resource.RLIM_INFINITY, "failed", "ulimit -n 65536"),
        (100, 200, "failed", "administrator"),
    ],
)
def test_the_remedy_for_few_open_files_is_one_that_this_user_can_take(
    soft: int, hard: int, status: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    found = findings("machine")["open files"]
    assert found.status == status and remedy in found.remedy


@pytest.mark.parametrize(
    ("length", "status"), [(LONGEST_TMPDIR, "ok"), (LONGEST_TMPDIR + 1, "failed"), (120, "failed")]
)
def test_a_temporary_folder_with_a_long_name_is_found(length: int, status: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = Path(short, "x" * (length - len(short) - 1))
        folder.mkdir()
        step = Step()
        machine._temporary(folder, step)
        assert list(folder.iterdir()) == []
    assert step.verdict is not None and step.verdict[0] == status
    assert status == "ok" or ("too long for the sockets" in step.verdict[1] and "TMPDIR" in step.verdict[2])


def test_a_store_elsewhere_has_no_disk_here() -> None:
    assert statuses(findings("machine", "s3://bucket/prefix"))["disk of the store"] == "skipped"
