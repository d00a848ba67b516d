"""What the tests share: stores of both kinds, one local Ray and one Prefect server for the whole session."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.processes.environment import applied_environment
from infra.ray_cluster.access import cluster_access
from infra.ray_cluster.connection import connect
from infra.settings import RaySettings
from infra.storage import Store, open_store
from infra.storage.s3_server import S3Server, serve_s3

if TYPE_CHECKING:
    from jepa.studies import Study

# A shell's background job ignores Ctrl-C, and so would everything that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Several processes share few cores; and what the user has set must not decide whether a test passes.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for name in [
    name
    for name in os.environ
    if name.startswith(("JEPA_", "AWS_", "PREFECT_", "RAY_ADDRESS")) and name != "JEPA_IMPORT"
]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
# What a test caches must not be found by another session, nor stay.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="jepa-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An embedded S3 server; its variables are not set."""
    with serve_s3() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty prefix on the embedded S3 server; the variables that lead there are set for this test."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"{s3_server.uri}/{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: the test that takes it runs once on a local folder and once on S3."""
    return open_store(str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("s3"))


@pytest.fixture(scope="session")
def ray_cluster(s3_server: S3Server) -> Iterator[None]:
    """One local Ray for the session, whose workers can reach the embedded S3 server."""
    with ExitStack() as cluster:
        with applied_environment(s3_server.environment):  # for the workers only, or it would stay set for every test
            cluster.enter_context(connect(RaySettings(num_cpus=4)))
        yield


@pytest.fixture
def ray_looks_again() -> Iterator[None]:
    """Has Ray, which remembers mode and token, look at the variables again once a test that changed them is over."""
    yield
    with cluster_access():
        pass


@pytest.fixture
def sample_mean(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator["type[Study]"]:
    """The study of jepa/studies/README.md, registered here and in processes that the test starts."""
    from tests.sample_study import registered

    with registered(tmp_path_factory.mktemp("study"), monkeypatch) as study:
        yield study


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real Prefect server with a database of its own; gives the variables by which others find it."""
    with serve_prefect(tmp_path_factory.mktemp("prefect")) as variables:
        yield variables


@contextmanager
def serve_prefect(home: Path, at: int | None = None, **settings: str) -> Iterator[dict[str, str]]:
    """Runs a Prefect server for the time of a block, and gives the variables by which others find it.

    Args:
        home: folder that takes its log and, if no setting says otherwise, its database.
        at: port that the caller holds; None takes one that is free.
        settings: variables of the server alone.
    """
    with nullcontext(at) if at else held_port() as port, (home / "server.log").open("a") as log:
        variables = {
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            # As in production, only sooner.
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
            "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "1",
        }
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        environment = os.environ | variables | settings
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_healthy(server, f"{variables['PREFECT_API_URL']}/health", home / "server.log")
            yield variables
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def held_port() -> Iterator[int]:
    """A free port of loopback that nobody is given by chance while the server that will listen on it starts.

    Prefect takes seconds from its start to its `listen`, and meanwhile every socket that another process opens may be
    handed a port that is merely free. One that is bound with SO_REUSEADDR and does not listen is given to nobody who
    asks for any port, and yet to the one who asks for this one.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"the Prefect server did not start:\n{log.read_text()[-2000:]}")
