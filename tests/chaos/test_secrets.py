"""A key is found in no log, message or file that a run leaves, and in no answer of the doctor."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from infra.storage.s3_server import S3Server
from tests.flows.cli.doctor.altering_proxy import Fault, altered

pytestmark = pytest.mark.s3

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("AKIDjustforthistest01", "very/secret+key/just/for/this/test/0001", "session-token-just-for-this-test")


@pytest.mark.slow
@pytest.mark.ray
def test_no_log_tells_a_key(s3: str, s3_server: S3Server) -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    flags = ["--episodes", "20", "--steps", "5", "--image-size", "16", "--actors", "2", "--store", s3]
    # Short, for the names of Ray's sockets may have 107 characters.
    logs = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    variables = (
        s3_server.environment | dict(zip(names, SECRETS, strict=True)) | {"RAY_TMPDIR": str(logs), "JEPA_LOG": "json"}
    )
    try:
        with (logs / "shown").open("w") as shown:
            run = subprocess.Popen(
                [sys.executable, "-m", "flows.cli.main", "collect", *flags],
                cwd=ROOT,
                env=os.environ | variables,
                stdout=shown,
                stderr=shown,
            )
            # Ray's folder is removed at the end, so it is read as long as the work goes on.
            written: dict[str, bytes] = {}
            while run.poll() is None:
                written |= contents(logs)
                time.sleep(0.2)
        written |= contents(logs)
        assert run.returncode == 0, written[str(logs / "shown")].decode()[-2000:]
        assert any("raylet" in path for path in written)
        # The key's number may be shown: every signed request carries it in the clear.
        for secret in SECRETS[1:]:
            assert [path for path, data in written.items() if secret.encode() in data] == []
    finally:
        shutil.rmtree(logs, ignore_errors=True)


OTHERS = {
    "PREFECT_API_AUTH_STRING": "user:password-just-for-this-test",
    "PREFECT_API_KEY": "prefect-key-just-for-this-test",
    "RAY_AUTH_TOKEN": "ray-token-just-for-this-test-0123456789",
    "WANDB_API_KEY": "wandb-key-just-for-this-test",
    "MLFLOW_TRACKING_PASSWORD": "mlflow-password-just-for-this-test",
}


@pytest.mark.parametrize(
    "fault",
    [Fault(), Fault(refused="PUT"), Fault(refused="PUT", code="OddCode")],
    ids=["works", "refuses", "repeats what it is sent"],
)
def test_no_answer_of_the_doctor_shows_a_secret(fault: Fault, s3: str, s3_server: S3Server) -> None:
    """Prefect and Ray are at an address where nobody answers, the store at a server that repeats every header."""
    with socket.socket() as closed, altered(s3_server.endpoint, fault) as endpoint:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        keys = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), SECRETS, strict=True))
        places = {"AWS_ENDPOINT_URL": endpoint, "RAY_ADDRESS": nobody, "PREFECT_API_URL": f"http://{nobody}/api"}
        checks = ["settings", "store", "prefect", "ray"]
        answer = subprocess.run(
            [sys.executable, "-m", "flows.cli.main", "doctor", "--store", s3, "--seconds", "120", "--only", *checks],
            cwd=ROOT,
            env=os.environ | s3_server.environment | keys | OTHERS | places | {"JEPA_DEBUG": "1"},
            capture_output=True,
            text=True,
            timeout=500,
        )
    assert answer.returncode == 1, answer.stderr
    assert [check for check in checks if check not in answer.stdout] == []
    assert fault.code != "OddCode" or "OddCode" in answer.stdout
    passwords = {value.rpartition(":")[2] for value in OTHERS.values()}
    assert [secret for secret in (*SECRETS[1:], *passwords) if secret in answer.stdout + answer.stderr] == []


def contents(folder: Path) -> dict[str, bytes]:
    """Returns what is written in the files that are there now; some may go while they are read."""
    found = {}
    # os.walk passes over a folder that is gone when its turn comes; Path.rglob ends there with an error.
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                if path.is_file():
                    found[str(path)] = path.read_bytes()
    return found
