"""What the project gives to those who install it and to those who work on it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("jepa", "pipelines", "flows", "infra")


def test_the_wheel_carries_types_licence_and_data(tmp_path: Path) -> None:
    """Types reach who installs it (PEP 561), and no test does."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(ROOMS)
    data = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.j2")}
    assert data and data <= set(names)
    assert "License-Expression: Apache-2.0" in metadata
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text and "The jepa-foundry authors" in text


def test_hooks_run_tools_of_the_environment_and_fetch_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    tools = Path(sys.executable).parent
    for hook in repositories[0]["hooks"]:
        folder, _, tool = hook["entry"].split()[0].rpartition("/")
        assert hook["language"] == "system" and folder == ".venv/bin" and (tools / tool).exists(), hook["id"]


def test_no_half_of_make_test_runs_what_takes_minutes() -> None:
    command = ["make", "--dry-run", "--assume-new", "pyproject.toml", "test-library", "test-whole"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    halves = [line for line in printed.splitlines() if "-m pytest" in line]
    assert len(halves) == 2 and all('-m "not long"' in half for half in halves), halves


def test_the_changelog_has_an_unreleased_section() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    sections = [line for line in lines if line.startswith("## ")]
    assert sections[0] == "## [Unreleased]"
    kinds = {line for line in lines if line.startswith("### ")}
    assert kinds <= {f"### {kind}" for kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")}
