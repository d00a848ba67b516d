"""What a run opens to its neighbours: sockets on loopback only, and a Ray that turns away who has no token."""

import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.flows.jobs import command, environment
from tests.narrow import present

pytestmark = [pytest.mark.slow, pytest.mark.ray]

SMALL = ["--collect.episodes", "24", "--pretrain.steps", "24", "--evaluate.kinds", "probing"]
ON_RAY = [f"--{job}.executor" for job in ("collect", "pretrain", "evaluate")]
LOOPBACK = ("127.", "::1", "::ffff:127.")
SERVERS = ("gcs_server", "raylet", "RayTrainWorker", "prefect_server", "s3_server")
"""What must be seen listening at some time, so that the test has looked at every phase."""


@pytest.mark.s3
@pytest.mark.prefect
@pytest.mark.timeout(1800)
def test_every_socket_of_a_whole_run_is_on_loopback(tmp_path: Path) -> None:
    flags = [word for name in ON_RAY for word in (name, "ray")]
    job = command("run", "--preset", "smoke", "--store", "s3", *flags, "--pretrain.workers", "2", *SMALL)
    # Ray's workers give way to all others, and on a busy machine they would never begin.
    variables = environment(tmp_path, RAY_worker_niceness="0")
    with (tmp_path / "shown").open("w") as shown:
        run = subprocess.Popen(job, cwd=tmp_path, env=variables, stdout=shown, stderr=shown)
        try:
            seen: dict[str, set[str]] = defaultdict(set)
            while run.poll() is None:
                for process, address in listening(psutil.Process(run.pid)):
                    seen[process].add(address)
                time.sleep(0.3)
        finally:
            run.kill()
    assert run.wait() == 0, (tmp_path / "shown").read_text()
    outside = {name: at for name, at in seen.items() if not all(where.startswith(LOOPBACK) for where in at)}
    assert not outside
    for server in SERVERS:
        assert any(server in name for name in seen), sorted(seen)


def listening(process: psutil.Process) -> list[tuple[str, str]]:
    """Returns the names and addresses of a process and all below it that wait for a peer, by TCP or UDP."""
    found = []
    for each in (process, *children_of(process)):
        try:
            name = " ".join(each.cmdline()[:4])
            sockets = each.net_connections("inet")
        except psutil.Error:
            continue
        waiting = [one.laddr.ip for one in sockets if one.laddr and not one.raddr and one.status in ("LISTEN", "NONE")]
        found += [(name, address) for address in waiting]
    return found


def children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


CLIENT = """
import os, ray
ray.init(address=os.environ["ADDRESS"], logging_level="ERROR")
@ray.remote
def who():
    return os.getuid()
print("ran as", ray.get(who.remote()))
"""


@pytest.mark.parametrize(
    ("access", "comes_in"),
    [
        ({}, True),
        ({"RAY_AUTH_MODE": "disabled"}, False),
        ({"RAY_AUTH_TOKEN": "0" * 64}, False),
        ({"RAY_AUTH_TOKEN_PATH": "/nowhere"}, False),
    ],
    ids=["ours", "no token", "another token", "no file"],
)
def test_who_has_no_token_is_turned_away(ray_cluster: None, access: dict[str, str], comes_in: bool) -> None:
    import ray

    variables = {"ADDRESS": ray.get_runtime_context().gcs_address, "PYTHONPATH": str(ROOT)} | access
    client = subprocess.run(
        [sys.executable, "-c", CLIENT], env=os.environ | variables, capture_output=True, text=True, timeout=300
    )
    assert (client.returncode == 0, "ran as" in client.stdout) == (comes_in, comes_in), client.stderr


def test_the_dashboard_turns_away_who_has_no_token(ray_cluster: None) -> None:
    import urllib.error
    import urllib.request

    import ray

    url: str = present(ray._private.worker._global_node).webui_url
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"http://{url}/api/jobs/", timeout=60)
