"""A key that the collector uses is found in no log, message or file that the run leaves."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.s3_server import S3Server

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.s3]

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("AKIDjustforthistest01", "very/secret+key/just/for/this/test/0001", "session-token-just-for-this-test")


def test_no_log_tells_a_key(s3: str, s3_server: S3Server) -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    flags = ["--episodes", "20", "--steps", "5", "--image-size", "16", "--actors", "2", "--store", s3]
    # Short, for the names of Ray's sockets may have 107 characters.
    logs = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "flows.cli.main", "collect", *flags],
            cwd=ROOT,
            env=os.environ | s3_server.environment | dict(zip(names, SECRETS, strict=True)) | {"RAY_TMPDIR": str(logs)},
            capture_output=True,
            timeout=550,
        )
        assert answer.returncode == 0, answer.stderr.decode()[-2000:]
        written = {str(path): path.read_bytes() for path in logs.rglob("*") if path.is_file()}
        assert any("raylet" in path for path in written)
        # The key's number may be shown: every signed request carries it in the clear.
        for secret in SECRETS[1:]:
            leaks = [path for path, data in written.items() if secret.encode() in data]
            assert leaks == [] and secret.encode() not in answer.stdout + answer.stderr
    finally:
        shutil.rmtree(logs, ignore_errors=True)
