"""A look for orphans that sees the processes of the test alone."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def rays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which local Rays are looked for: other tests start and kill theirs in that of the machine."""
    folder = tmp_path / "rays"
    folder.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    monkeypatch.setattr("infra.ray_cluster.local.LONGEST", 4096)
    monkeypatch.setattr("flows.runs.orphans.lives.PROOF_SECONDS", 0.05)
    return folder
