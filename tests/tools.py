"""Programs of others that check our files; a test whose program is missing is skipped and says what was not checked."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"


def tool(name: str, unchecked: str) -> str:
    """Returns the program's path, from `.tools` or from PATH, or skips the test.

    Args:
        name: of the program.
        unchecked: what nobody has checked where it is missing, for the skip's sentence.
    """
    installed = sorted(TOOLS.glob(f"*/bin/{name}"))
    path = str(installed[0]) if installed else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (`make tools`), so nobody has checked {unchecked}")
    return path


def run_tool(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, with its output as text."""
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=dict(os.environ) | dict(env or {}), text=True, capture_output=True
    )


def checkov(folder: Path, framework: str, unchecked: str) -> dict[str, Any]:
    """Returns what checkov found in a folder, offline.

    Args:
        folder: with the files.
        framework: `terraform`, `kubernetes` or `dockerfile`.
        unchecked: what nobody has checked where checkov is not installed.
    """
    command = (tool("checkov", unchecked), "-d", folder, "--framework", framework, "--skip-download", "-o", "json")
    done = run_tool(*command, cwd=folder)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_nothing_found(found: dict[str, Any]) -> None:
    """Asserts that checkov read every file, found nothing, and that what it skips has a reason."""
    results = found["results"]
    failed = [f"{check['check_id']} {check['file_path']} {check['resource']}" for check in results["failed_checks"]]
    assert failed == []
    assert results["parsing_errors"] == []
    reasons = {check["check_id"]: check["check_result"]["suppress_comment"] for check in results["skipped_checks"]}
    assert [check for check, reason in reasons.items() if len((reason or "").split()) < 5] == []
    assert found["summary"]["passed"] > 0
