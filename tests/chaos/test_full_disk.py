"""A full disk is reported, nothing is committed, and with room again the same command goes on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.collect import collect
from tests.chaos.slow import dataset_digest
from tests.pipelines.small_dataset import small_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    # A small disk of our own needs no root where a user may have a name space.
    if not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives users no name space of their own in which to mount a small disk")
    script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" -m tests.chaos.fill_a_disk "$1"'
    command = [*UNSHARE, "sh", "-c", script, "sh", str(disk), sys.executable]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr[-3000:]
    error, left, after = answer.stdout.splitlines()
    assert "the disk is full; free some space or choose a store elsewhere, by --store" in error
    shards, committed = left.split()
    assert 0 < int(shards) < 11 and committed == "False"
    alone = open_store(str(tmp_path / "alone"))
    collect(small_config(), alone)
    assert after == f"True {dataset_digest(alone)}"
