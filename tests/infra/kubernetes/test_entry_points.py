"""`backoffLimit` runs a RayJob's whole entry point again: a second run finds what is done and changes nothing."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.kubernetes.conftest import Manifest
from tests.tools import ROOT, run_tool

SMALL = "--episodes 4 --steps 8 --image-size 32 --episodes-per-shard 2 --actors 1 --executor local"


@pytest.mark.slow
def test_a_second_run_of_the_entry_point_changes_nothing(
    manifests: Callable[[str], list[Manifest]], tmp_path: Path
) -> None:
    """After a run that lost one of its shards, and then after a whole one, the store holds the same bytes."""
    objects = {manifest["kind"]: manifest for manifest in manifests("dev/collect")}
    program, *arguments = shlex.split(objects["RayJob"]["spec"]["entrypoint"])
    assert program == "jepa"
    (tmp_path / "job.yaml").write_text(objects["ConfigMap"]["data"]["job.yaml"])
    arguments[arguments.index("/etc/jepa/job.yaml")] = str(tmp_path / "job.yaml")
    command = (sys.executable, "-m", "flows.cli", *arguments, *SMALL.split())

    def run() -> dict[str, bytes]:
        done = run_tool(*command, env={"JEPA_STORE": str(tmp_path / "store"), "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stdout + done.stderr
        files = sorted(path for path in (tmp_path / "store").rglob("*") if path.is_file())
        # Each process that looks into a store leaves a record of itself.
        kept = [path for path in files if "processes" not in path.relative_to(tmp_path).parts]
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in kept}

    first = run()
    assert run() == first
    manifest = next(tmp_path.glob("store/datasets/d0/**/manifest*.json"))
    manifest.unlink()
    shard = next(name for name in first if "/shards/" in name)
    (tmp_path / shard).unlink()
    again = run()
    assert {name: again[name] for name in first if "/shards/" in name} == {
        n: first[n] for n in first if "/shards/" in n
    }
