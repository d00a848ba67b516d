"""`jepa version`: which code this is, and which versions of what it stands on are installed."""

import platform
from importlib import metadata

from flows.cli.commands.context import Context
from infra.version import code_version
from jepa.core.config import Config

STANDS_ON = ("torch", "ray", "prefect", "pyarrow", "numpy", "gymnasium", "mosaicml-streaming", "webdataset", "boto3")


class VersionOptions(Config):
    """Nothing to choose."""


Options = VersionOptions
EXAMPLE = "jepa version --json"


def execute(options: VersionOptions, context: Context) -> int:
    """Prints the versions; nothing of what it names is imported."""
    facts = {"jepa": code_version(), "python": platform.python_version()}
    facts |= {name: installed(name) for name in STANDS_ON}
    width = max(map(len, facts))
    context.show(facts, [f"{name:<{width}}  {version}" for name, version in facts.items()])
    return 0


def installed(package: str) -> str:
    """Returns the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
