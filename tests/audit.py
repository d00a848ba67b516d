"""What we stand on, for `make audit`: a bill of materials (SBOM) of the lock file, and the known advisories about it.

`python -m tests.audit FILE` writes the SBOM, which needs no network, and then asks the advisory database. Status 0: no
advisory; 1: some; 3: nobody knows, for the database was not reached or does not know the packages.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"
TOOLS = ROOT / ".tools" / "audit" / "bin"
CLEAN, ADVISORIES, UNKNOWN = 0, 1, 3
SHOWN = 10
"""Packages that are named; the others are counted."""


def write_sbom(program: str | Path, lock: Path, output: Path) -> None:
    """Writes the packages of a lock file with their versions as CycloneDX JSON, equal for equal files.

    Args:
        program: `cyclonedx-py`.
        lock: file of requirements.
        output: file to write.

    Raises:
        RuntimeError: the program fails.
    """
    options = ["--pyproject", str(PROJECT), "--output-reproducible", "--no-validate", "--output-file", str(output)]
    done = subprocess.run([str(program), "requirements", *options, str(lock)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"cyclonedx-py could not write {output}: {done.stderr[-1000:]}")


def ask_for_advisories(program: str | Path, lock: Path) -> tuple[int, list[str]]:
    """Returns a status and the lines that say what is known about the packages of a lock file.

    Args:
        program: `pip-audit`, which itself says "no known vulnerabilities" of packages that it could not look up.
        lock: file of requirements, all pinned.
    """
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([str(program), "--requirement", str(lock), *options], capture_output=True, text=True)
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
        return UNKNOWN, [f"the advisory database cannot be reached, so nothing was audited ({reason})"]
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    lines = [line for one in dependencies for line in _advisories(one)]
    if unknown:
        named = ", ".join(unknown[:SHOWN]) + (", …" if len(unknown) > SHOWN else "")
        lines.append(f"{len(unknown)} of {len(dependencies)} packages are not in the advisory database: {named}")
    if any(one.get("vulns") for one in dependencies):
        return ADVISORIES, lines
    if len(unknown) == len(dependencies):
        return UNKNOWN, ["the advisory database that answers knows no package of ours, so nothing was audited", *lines]
    return CLEAN, [*lines, f"no advisory about {len(dependencies) - len(unknown)} packages"]


def _advisories(dependency: dict[str, Any]) -> list[str]:
    package = f"{dependency['name']} {dependency.get('version', '')}"
    return [
        f"{package}: {advisory['id']}, fixed in {', '.join(advisory.get('fix_versions', ())) or 'no version yet'}"
        for advisory in dependency.get("vulns", ())
    ]


def main(output: str) -> int:
    """Writes the SBOM, prints what is known, and returns the status."""
    write_sbom(TOOLS / "cyclonedx-py", LOCK, Path(output))
    print(f"the packages of {LOCK.name} are listed in {output} (CycloneDX)")
    status, lines = ask_for_advisories(TOOLS / "pip-audit", LOCK)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
