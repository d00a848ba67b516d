"""What this process may use of its machine: in a container its share, elsewhere all."""

import os
from pathlib import Path

import pytest

from infra.processes import machine
from infra.processes.machine import machine_bytes, machine_cores
from infra.settings import RaySettings
from pipelines.loader.config import LoaderConfig

ALL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
POD = "kubepods.slice/pod1"


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The groups of a machine with 12 cores, of which ours is that of a container in a pod."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))
    (tmp_path / "own").write_text(f"2:memory:/elsewhere\n0::/{POD}/container\n")
    (tmp_path / POD / "container").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("text", ["max\n", "", "none"])
def test_without_a_limit_it_is_the_machine(groups: Path, text: str) -> None:
    for name in ("memory.max", "cpu.max"):
        (groups / POD / "container" / name).write_text(text)
    (groups / "cpu.max").write_text("max 100000\n")
    assert (machine_bytes(), machine_cores()) == (ALL, 12)


@pytest.mark.parametrize("where", ["", POD, f"{POD}/container"])
def test_the_least_limit_counts_whichever_group_has_it(groups: Path, where: str) -> None:
    (groups / where / "memory.max").write_text("104857600\n")
    (groups / where / "cpu.max").write_text("250000 100000\n")
    assert (machine_bytes(), machine_cores()) == (100 * 2**20, 3)
    (groups / POD / "container/cpu.max").write_text("2000 100000\n")
    assert machine_cores() == 1


def test_where_there_are_no_groups_it_is_the_machine(groups: Path) -> None:
    (groups / "own").write_text("4:cpu:/\n")
    assert (machine_bytes(), machine_cores()) == (ALL, 12)
    (groups / "own").unlink()
    assert (machine_bytes(), machine_cores()) == (ALL, 12)


def test_a_local_ray_and_a_loader_take_no_more(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local Ray starts a process for each slot: those of all cores of a node would fill the memory of a small pod."""
    import ray

    from infra.ray_cluster import connection

    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    (groups / "cpu.max").write_text("200000 100000\n")
    assert LoaderConfig().thread_count() == 2
    asked: list[object] = []
    monkeypatch.setattr(ray, "init", lambda **options: asked.append(options["num_cpus"]))
    connection._init(RaySettings(), None)
    assert asked == [2]
