"""Keeps the figures of a benchmark beside it, with the hardware and the versions that they belong to."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from infra.version import code_version

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    *("numpy", "torch", "zstandard", "simplejpeg", "av", "ray", "stable-worldmodel"),
    *("pygame", "pymunk", "mujoco", "boto3"),
)


def record(name: str, figures: dict[str, Any]) -> None:
    """Prints the figures and writes them to `results/<name>.json`."""
    text = json.dumps({"figures": figures, **surroundings()}, indent=1, sort_keys=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(json.dumps(figures, indent=1))


def surroundings() -> dict[str, Any]:
    """Returns hardware and versions; `load` over the number of cores tells that others were at work, too."""
    return {
        "code": code_version(),
        "hardware": {"cores": os.cpu_count(), "processor": _processor(), "load": round(os.getloadavg()[0], 1)},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
