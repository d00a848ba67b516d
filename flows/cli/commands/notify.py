"""`jepa notify BLOCK`: has runs on Prefect reported that failed, are silent, or do not begin."""

from pydantic import Field

from flows.cli.commands.context import Context
from jepa.core.config import Config


class NotifyOptions(Config):
    """Where to."""

    block: str = Field(min_length=1)
    """notification block on the server that PREFECT_API_URL names, by type and name: `slack-webhook/operators`"""


Options = NotifyOptions
POSITIONAL = "block"
EXAMPLE = "jepa notify slack-webhook/operators"


def execute(options: NotifyOptions, context: Context) -> int:
    """Puts the automations on the server; to change the block, do it again with another."""
    from flows.runs.notifications import notify_by

    names = notify_by(options.block)
    context.show(
        {"block": options.block, "automations": names},
        [f"{name} notifies by {options.block}" for name in names],
    )
    return 0
