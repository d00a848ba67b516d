"""The token for an existing cluster: asked for unless somebody says otherwise, found where Ray looks, or said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = """
import os
from infra.errors import AddressError
from infra.ray_cluster.access import cluster_access, require_token

before = os.environ.get("RAY_AUTH_MODE")
try:
    with cluster_access():
        require_token("head:6379")
        print("goes on with", os.environ["RAY_AUTH_MODE"])
except AddressError as error:
    print(error)
assert os.environ.get("RAY_AUTH_MODE") == before
"""
NONE = "there is no token for the Ray cluster at 'head:6379'; put the cluster's into RAY_AUTH_TOKEN or"


def said(home: Path, **variables: str) -> str:
    """Returns what a process of its own says, whose user has set these variables and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = kept | {"HOME": str(home), "PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=200, check=True
    ).stdout


@pytest.mark.slow
def test_an_existing_cluster_is_talked_to_with_a_token(tmp_path: Path) -> None:
    assert said(tmp_path).startswith(NONE)
    assert said(tmp_path, RAY_AUTH_MODE="disabled") == "goes on with disabled\n"
    assert said(tmp_path, RAY_AUTH_TOKEN="0" * 64) == "goes on with token\n"
    nowhere = said(tmp_path, RAY_AUTH_TOKEN_PATH=str(tmp_path / "nowhere"))
    assert "cannot be read from the file that RAY_AUTH_TOKEN_PATH names" in nowhere
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    assert said(tmp_path) == "goes on with token\n"
