"""A key that the collector uses is found in no log, message or file that the run leaves."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from infra.storage.s3_server import S3Server

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.s3]

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("AKIDjustforthistest01", "very/secret+key/just/for/this/test/0001", "session-token-just-for-this-test")


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
