"""The connection to Ray."""

import os
import signal
import subprocess
import sys

import pytest

from infra.ray_cluster import connect
from infra.settings import RaySettings
from tests.infra.owned import descendants_after


@pytest.mark.ray
@pytest.mark.slow
def test_workers_see_the_store_settings_and_use_one_thread(ray_cluster: None) -> None:
    import ray

    @ray.remote
    def look() -> dict[str, str]:
        return dict(os.environ)

    seen = ray.get(look.remote())
    assert seen["OMP_NUM_THREADS"] == "1"
    assert seen["AWS_ENDPOINT_URL"] == seen["S3_ENDPOINT_URL"] and seen["AWS_ENDPOINT_URL"].startswith(
        "http://127.0.0.1:"
    )


@pytest.mark.ray
@pytest.mark.slow
def test_who_is_connected_stays_connected(ray_cluster: None) -> None:
    import ray

    with connect(RaySettings(num_cpus=1)):
        assert ray.is_initialized()
    assert ray.is_initialized()


@pytest.mark.ray
@pytest.mark.slow
def test_no_cluster_at_the_address_is_one_sentence() -> None:
    # In a process of its own: this one may be connected already.
    script = (
        "from infra.ray_cluster import connect, RaySettings\nwith connect(RaySettings(address='127.0.0.1:9')): pass"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=400)
    last = answer.stderr.splitlines()[-1]
    assert (
        answer.returncode != 0
        and "InfraError: no Ray cluster answers at '127.0.0.1:9'" in last
        and "RAY_ADDRESS" in last
    )


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_local_ray_ends_with_its_owner(end: signal.Signals) -> None:
    imports = "from infra.ray_cluster import connect\nfrom infra.settings import RaySettings"
    assert descendants_after(imports, "connect(RaySettings(num_cpus=1))", end, patience=90) == []
