"""A world, a policy and an objective of a module outside the tree, in every process that does some of the work."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.store import Dataset
from tests.conftest import ROOT
from tests.flows.cli.plugin import write_plugin
from tests.flows.jobs import command, environment, finished

pytestmark = pytest.mark.slow

SIZE = ["--episodes", "40", "--steps", "40", "--image-size", "32"]
COLLECT = ["collect", "--world", "mirrored_room", "--name", "m", "--actors", "2", *SIZE]
TRAINING = ["--recipe", "smoke", "--steps", "12", "--device", "cpu"]
PRETRAIN = ["pretrain", "--dataset", "m", "--name", "m", "--objective", "halved", *TRAINING]


def check(store: str) -> None:
    """Checks that the dataset and the model are of the module's world, policy and objective."""
    dataset = Dataset(open_store(store), "m")
    assert dataset.world == "mirrored_room" and dataset.manifest.plan.policy == {"mirrored_room/drift": 1.0}
    episode = next(dataset.episodes("train"))
    assert (episode.action == [0.5, 0.25]).all()
    recipe = json.loads(open_store(store).read("models/m/config.json"))["recipe"]
    assert recipe["objective"] == "halved"


def run(folder: Path, *arguments: str, **variables: str) -> None:
    done = finished([*arguments, "--store", "store"], folder, 500, **variables)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module and a store that holds a dataset of its world, made by processes of this machine."""
    folder = tmp_path_factory.mktemp("collected")
    run(folder, *COLLECT, "--executor", "local", "--import", write_plugin(folder))
    return folder


@pytest.mark.timeout(600)
def test_processes_of_this_machine(collected: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(collected, tmp_path / "copy")
    name = write_plugin(folder)
    run(folder, *PRETRAIN, "--executor", "local", "--workers", "1", JEPA_IMPORT=name)
    check(str(folder / "store"))
    worlds = finished(["worlds", "--import", name, "--json"], folder)
    assert "mirrored_room" in {world["name"] for world in json.loads(worlds.stdout)["worlds"]}


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_a_local_ray(collected: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(collected, tmp_path / "copy")
    run(folder, *PRETRAIN, "--executor", "ray", "--workers", "1", "--import", write_plugin(folder))
    check(str(folder / "store"))


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_a_cluster_that_does_not_have_the_module(tmp_path: Path) -> None:
    name = write_plugin(tmp_path / "elsewhere")
    path = os.pathsep.join((str(ROOT), str(tmp_path / "elsewhere")))
    with cluster(tmp_path) as reached:
        variables = reached | {"PYTHONPATH": path}
        run(tmp_path, *COLLECT, "--executor", "ray", "--import", name, **variables)
        run(tmp_path, *PRETRAIN, "--executor", "ray", "--workers", "2", "--import", name, **variables)
    check(str(tmp_path / "store"))


CLUSTER = """
import json, sys
from infra.ray_cluster.access import local_access
from tests.ray_address import note_address_in
with local_access() as session:
    from ray.cluster_utils import Cluster
    head = {"num_cpus": 3, "object_store_memory": 80_000_000, "temp_dir": str(session.temp_dir)}
    note_address_in(session.temp_dir)
    cluster = Cluster(initialize_head=True, head_node_args=head)
    print(json.dumps(session.variables | {"RAY_ADDRESS": cluster.address}), flush=True)
    sys.stdin.read()
    cluster.shutdown()
"""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """An existing cluster, started where nobody finds the module; gives the variables that lead to it."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        cwd=folder.parent,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(60)


def test_a_module_that_cannot_be_imported_is_one_sentence(tmp_path: Path) -> None:
    for arguments in (["collect", "--import", "no_such_module"], ["status", "--import", "no_such_module"]):
        done = finished(arguments, tmp_path)
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.startswith("jepa: module 'no_such_module' of --import cannot be imported (ModuleNotFound")
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_installed_package_needs_no_flag(tmp_path: Path) -> None:
    name = write_plugin(tmp_path / "site")
    info = tmp_path / "site" / "additions-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: additions\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[jepa.worlds]\nmirrored_room = {name}:MirroredRoom\n\n[jepa.policies]\nmirrored_room/drift = {name}:Drift\n"
    )
    path = os.pathsep.join((str(ROOT), str(tmp_path / "site")))
    worlds = subprocess.run(
        command("worlds", "--json"), cwd=tmp_path, env=environment(tmp_path, PYTHONPATH=path), capture_output=True
    )
    assert "mirrored_room" in {world["name"] for world in json.loads(worlds.stdout)["worlds"]}
    run(tmp_path, *COLLECT, "--executor", "local", PYTHONPATH=path)
    assert Dataset(open_store(str(tmp_path / "store")), "m").world == "mirrored_room"
