"""The version of this code, which every table row, manifest and log carries."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "jepa-foundry"
REVISION = "FOUNDRY_REVISION"
"""Variable of an image: the commit that it was built from."""
STANDS_ON = ("torch", "ray", "prefect", "pyarrow", "numpy", "gymnasium", "mosaicml-streaming", "webdataset", "boto3")
"""Packages on which much depends, so that two machines that work together must have the same versions of them."""


@cache
def code_version() -> str:
    """Returns the release, in a checkout with its commit: `0.1.0+g1a2b3c4d5e6f`, and `.dirty` where files differ.

    An image holds no checkout; the commit that it was built from stands in its variable FOUNDRY_REVISION.
    """
    try:
        release = version(PACKAGE)
    except PackageNotFoundError:
        release = "0"
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        revision = os.environ.get(REVISION, "")
        return f"{release}+g{revision[:12]}" if re.fullmatch("[0-9a-f]{7,40}", revision) else release
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return release
    dirty = ".dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else ""
    return f"{release}+g{commit}{dirty}"


def versions() -> dict[str, str]:
    """Returns the versions of this code (`jepa`), of `python` and of what the code stands on; nothing is imported."""
    facts = {"jepa": code_version(), "python": platform.python_version()}
    return facts | {name: installed(name) for name in STANDS_ON}


def installed(package: str) -> str:
    """Returns the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        # No daemon of git's is to be left behind.
        command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
