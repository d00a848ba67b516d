"""`jepa gc`: deletes what lies in a store and belongs to nothing: leftovers of killed jobs, and what was replaced.

With `--orphans` it ends what runs and belongs to nothing.
"""

from collections import Counter
from datetime import timedelta

from pydantic import Field

from flows.cli.commands.context import Context
from jepa.core.config import Config


class GcOptions(Config):
    """What to delete."""

    older_than: float = Field(7.0, ge=0, le=36_500)
    """days that a file must have lain there; what a cut-off job has made serves when it goes on"""
    yes: bool = False
    """delete it, or end it; without this flag it is only listed"""
    orphans: bool = False
    """instead of files: processes, local Rays, submitted Ray jobs and Prefect flow runs whose parent has ended"""
    silent_minutes: float = Field(10.0, ge=1, le=5_000_000)
    """minutes without a heartbeat after which a process on another machine counts as ended; only for orphans"""


Options = GcOptions
EXAMPLE = "jepa gc\n  jepa gc --older-than 1 --yes\n  jepa gc --orphans --yes"


def execute(options: GcOptions, context: Context) -> int:
    """Lists the files, and with `--yes` deletes them; what a manifest names or a job works on is never among them."""
    if options.orphans:
        return _end_orphans(options, context)
    from pipelines.store.garbage import delete_garbage, find_garbage

    store = context.store(writes=options.yes)
    sweep = find_garbage(store, timedelta(days=options.older_than))
    if options.yes:
        context.working = True
        delete_garbage(store, sweep)
    counts = Counter(one.why for one in sweep.garbage)
    total = ", ".join(f"{count} of {why}" for why, count in sorted(counts.items()))
    done = "deleted" if options.yes else "would be deleted; give --yes to delete them"
    lines = sweep.lines()
    lines.append(f"{len(sweep.garbage)} files {done} ({total})" if counts else "nothing to delete")
    context.show(sweep.model_dump(mode="json") | {"deleted": options.yes}, lines)
    return 0


def _end_orphans(options: GcOptions, context: Context) -> int:
    """Lists what runs without a living parent, and with `--yes` ends it; 1 if something of it could not be ended."""
    from flows.runs.orphans import reconcile

    store = context.store(writes=options.yes)
    context.working = options.yes
    result = reconcile(store, timedelta(minutes=options.silent_minutes), act=options.yes)
    ended = sum(bool(orphan.done) for orphan in result.orphans)
    lines = result.lines()
    if not result.orphans:
        lines.append("nothing to end")
    elif options.yes:
        lines.append(f"{ended} of {len(result.orphans)} orphans ended")
    else:
        lines.append(f"{len(result.orphans)} orphans would be ended; give --yes to end them")
    context.show(result.model_dump(mode="json") | {"ended": ended}, lines)
    return int(options.yes and ended < len(result.orphans))
