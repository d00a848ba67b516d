"""The modules of JEPA_IMPORT as files, for machines that do not have them: an existing Ray cluster gets a copy."""

import importlib.util
import os
import sysconfig
from pathlib import Path

from infra.settings import PLUGIN_VARIABLE

OURS = ("jepa", "pipelines", "flows", "infra")
"""Packages that a cluster has anyway, or it could run nothing of ours."""


def plugin_paths() -> list[str]:
    """Returns the file or the folder of each module that is not installed, but lies somewhere on the path.

    What is installed here is taken to be installed on the cluster, in the version that fits its machines.
    """
    names = [name.strip().partition(".")[0] for name in os.environ.get(PLUGIN_VARIABLE, "").split(",")]
    paths = [_path_of(name) for name in dict.fromkeys(names) if name and name not in OURS]
    return [str(path) for path in paths if path is not None and not _is_installed(path)]


def _path_of(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin and spec.origin.endswith(".py") else None


def _is_installed(path: Path) -> bool:
    installed = {sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(path.is_relative_to(Path(folder).resolve()) for folder in installed)
