"""What we start we stop: the embedded S3 server and the local Ray end with their owner, however it ends."""

import signal
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from infra.s3_server import serve_s3
from infra.storage import open_store

HOLD = """
import time, sys
{imports}
with {context}:
    print("up", flush=True)
    time.sleep(300)
"""


def descendants_after(imports: str, context: str, end: signal.Signals, patience: float = 90) -> list[str]:
    """Holds a context in a process of its own, ends that by a signal and returns what is left of its children."""
    script = HOLD.format(imports=imports, context=context)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(end)
        process.wait(patience)
        return [child.name() for child in _alive_after(children, patience)]
    finally:
        process.kill()
        process.wait()


def _alive_after(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    deadline = time.monotonic() + patience
    alive = processes
    while alive and time.monotonic() < deadline:
        time.sleep(0.1)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.s3
def test_the_embedded_server_serves_its_bucket_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_s3("another") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        open_store(server.uri).check()
        assert server.uri == "s3://another"
    with pytest.raises(OSError):
        urllib.request.urlopen(server.endpoint, timeout=2)


@pytest.mark.s3
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_embedded_server_ends_with_its_owner(end: signal.Signals) -> None:
    assert descendants_after("from infra.s3_server import serve_s3", "serve_s3()", end) == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_local_ray_ends_with_its_owner(end: signal.Signals) -> None:
    imports = "from infra.ray_cluster import connect\nfrom infra.settings import RaySettings"
    assert descendants_after(imports, "connect(RaySettings(num_cpus=1))", end, patience=90) == []
