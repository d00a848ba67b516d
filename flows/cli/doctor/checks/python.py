"""Python and the installed packages: against what this project asks for, and against its lock file."""

import platform
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from flows.cli.doctor.findings import Asked, Report
from infra.version import PACKAGE, code_version

LOCK = Path(__file__).resolve().parents[4] / "requirements.lock"
SHOWN = 5
"""Packages that are named; the others are counted."""


def check(asked: Asked, report: Report) -> None:
    """Compares what runs here with what was tested."""
    with report.step("python") as step:
        wanted, found = SpecifierSet(metadata.metadata(PACKAGE)["Requires-Python"]), platform.python_version()
        if found in wanted:
            step.ok(f"{found} ({sys.executable}), jepa {code_version()}")
        else:
            step.failed(f"{found} is outside {wanted}", "run `make setup` with PYTHON=/path/to/python3.12")
    with report.step("packages") as step:
        broken = unmet([Requirement(text) for text in metadata.requires(PACKAGE) or ()])
        if broken:
            step.failed(_listed(broken), "run `make setup`, or install the versions of requirements.lock")
        else:
            step.ok("every requirement is met")
    with report.step("lock file") as step:
        if not LOCK.is_file():
            step.skipped("there is none beside the code, which is not a checkout")
            return
        pinned = [Requirement(line) for line in LOCK.read_text().splitlines() if line[:1].isalnum()]
        if others := unmet(pinned):
            step.warning(
                f"{len(others)} of {len(pinned)} packages differ: {_listed(others)}",
                "run `make setup`: figures are only reproduced with the versions of the lock file",
            )
        else:
            step.ok(f"all {len(pinned)} packages have its versions")


def unmet(requirements: list[Requirement]) -> list[str]:
    """Returns a phrase for each requirement of this platform, extras aside, that is not met."""
    problems = []
    for requirement in requirements:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            problems.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(f"{requirement.name} is {found}, not {requirement.specifier}")
    return problems


def _listed(problems: list[str]) -> str:
    more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return ", ".join(problems[:SHOWN]) + more
