"""Keeping a store and its surroundings clean, as a deployment: what runs or lies there and belongs to nothing."""

import logging
from datetime import timedelta

from prefect.artifacts import create_markdown_artifact
from pydantic import Field

from flows.job import job
from flows.runs.orphans import reconcile
from infra.storage import open_store
from jepa.core.config import Config
from pipelines.store.garbage import delete_garbage, find_garbage

log = logging.getLogger(__name__)


class MaintenanceConfig(Config):
    """What to end and to delete; what is not asked for is only listed."""

    end_orphans: bool = False
    """end processes, local Rays, submitted Ray jobs and Prefect flow runs whose parent has ended"""
    delete_garbage: bool = False
    """delete files that belong to nothing"""
    silent_minutes: float = Field(10.0, ge=1, le=5_000_000)
    """minutes without a heartbeat after which a process on another machine counts as ended"""
    older_than: float = Field(7.0, ge=0, le=36_500)
    """days that a file must have lain there; what a cut-off job has made serves when it goes on"""


@job("maintenance", run_name="maintenance")
def maintenance(config: MaintenanceConfig, store: str = "runs/") -> dict[str, int]:
    """Does what `jepa gc --orphans` and then `jepa gc` do, and leaves what it found as an artifact.

    Args:
        config: what to end and to delete.
        store: folder or s3://bucket/prefix that is looked at.

    Returns:
        How much was found of either.
    """
    opened = open_store(store)
    opened.check(writes=config.end_orphans or config.delete_garbage)
    result = reconcile(opened, timedelta(minutes=config.silent_minutes), act=config.end_orphans)
    sweep = find_garbage(opened, timedelta(days=config.older_than))
    if config.delete_garbage:
        delete_garbage(opened, sweep)
    found = {
        f"Orphans {'ended' if config.end_orphans else 'found'}": result.lines(),
        f"Files {'deleted' if config.delete_garbage else 'found'} that belong to nothing": sweep.lines(),
    }
    for title, lines in found.items():
        for line in lines:
            log.info("%s: %s", title, line)
    sections = (
        f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines or ["none"]) for title, lines in found.items()
    )
    create_markdown_artifact("\n\n".join(sections), key="maintenance")
    return {"orphans": len(result.orphans), "files": len(sweep.garbage)}
