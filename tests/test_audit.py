"""`make audit`: the SBOM names every locked package, without a network; an audit that did not happen is not passed."""

import json
import os
import re
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.audit import ADVISORIES, CLEAN, LOCK, UNKNOWN, ask_for_advisories, write_sbom
from tests.tools import tool


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads every request to a port where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{closed.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)


def test_the_sbom_names_every_locked_package_offline(offline: None, tmp_path: Path) -> None:
    write_sbom(tool("cyclonedx-py", "the SBOM of the lock file"), LOCK, tmp_path / "sbom.json")
    sbom = json.loads((tmp_path / "sbom.json").read_text())
    listed = sorted((one["name"], one["version"]) for one in sbom["components"])
    locked = sorted(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(), flags=re.MULTILINE))
    assert listed == locked and len(locked) > 200
    assert sbom["bomFormat"] == "CycloneDX" and sbom["metadata"]["component"]["name"] == "jepa-foundry"


def test_a_database_that_is_not_reached_is_said(offline: None, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("numpy==2.1.3\n")
    status, lines = ask_for_advisories(tool("pip-audit", "an audit with no network"), tmp_path / "lock")
    assert status == UNKNOWN and "cannot be reached, so nothing was audited" in lines[0]


SKIPPED = {"name": "numpy", "skip_reason": "Dependency not found on PyPI and could not be audited: numpy (2.1.3)"}
GOOD = {"name": "scipy", "version": "1.14", "vulns": []}
BAD = {"name": "pip", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


@pytest.mark.parametrize(
    ("dependencies", "status", "words"),
    [
        ([GOOD], CLEAN, "no advisory about 1 packages"),
        ([GOOD, SKIPPED], CLEAN, "1 of 2 packages are not in the advisory database: numpy"),
        ([SKIPPED], UNKNOWN, "nothing was audited"),
        ([GOOD, BAD, SKIPPED], ADVISORIES, "pip 1.0: PYSEC-1, fixed in 1.1"),
    ],
    ids=["clean", "partly", "not at all", "advisory"],
)
def test_only_what_was_looked_up_counts_as_clean(
    dependencies: list[dict[str, Any]], status: int, words: str, tmp_path: Path
) -> None:
    """The program answers with what pip-audit prints; where it knows no package pip-audit itself ends with 0."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({'dependencies': dependencies, 'fixes': []})}\nEND\n")
    os.chmod(program, stat.S_IRWXU)
    found, lines = ask_for_advisories(program, LOCK)
    assert found == status and any(words in line for line in lines)
