"""`jepa version`: which code this is, and which versions of what it stands on are installed."""

from flows.cli.commands.context import Context
from infra.version import versions
from jepa.core.config import Config


class VersionOptions(Config):
    """Nothing to choose."""


Options = VersionOptions
EXAMPLE = "jepa version --json"


def execute(options: VersionOptions, context: Context) -> int:
    """Prints the versions; nothing of what it names is imported."""
    facts = versions()
    width = max(map(len, facts))
    context.show(facts, [f"{name:<{width}}  {version}" for name, version in facts.items()])
    return 0
