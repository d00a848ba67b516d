"""Keeping the report tables of a store in few files, as a deployment."""

import logging

from prefect.artifacts import create_markdown_artifact

from flows.job import job
from infra.storage import open_store
from jepa.core.config import Config
from pipelines.store.reports.compaction import compact as compaction

log = logging.getLogger(__name__)


class CompactConfig(Config):
    """How to compact."""

    dry_run: bool = False
    """count what would be taken in, and do nothing"""


@job("compact", run_name="compact")
def compact(config: CompactConfig | None = None, store: str = "runs/") -> dict[str, int]:
    """Does what `jepa reports compact` does, and leaves what it did as an artifact; evaluations may run meanwhile.

    Args:
        config: how to compact.
        store: folder or s3://bucket/prefix whose report tables are compacted.

    Returns:
        The units that were taken in, the rows that were dropped, and the files that the tables are in now.
    """
    config = config or CompactConfig()
    opened = open_store(store)
    opened.check(writes=not config.dry_run)
    made = compaction.plan_compaction(opened) if config.dry_run else compaction.compact(opened)
    for line in made.lines():
        log.info("%s", line)
    create_markdown_artifact("## Report tables\n\n" + "\n".join(f"- {line}" for line in made.lines()), key="compact")
    return {"taken": made.taken, "dropped": made.dropped, "files": len(made.files)}
