"""`jepa gc`: deletes what lies in a store and belongs to nothing: leftovers of killed jobs, and what was replaced."""

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
    """delete it; without this flag it is only listed"""


Options = GcOptions
EXAMPLE = "jepa gc\n  jepa gc --older-than 1 --yes"


def execute(options: GcOptions, context: Context) -> int:
    """Lists the files, and with `--yes` deletes them; what a manifest names or a job works on is never among them."""
    from pipelines.store.garbage import find_garbage

    store = context.store(writes=options.yes)
    sweep = find_garbage(store, timedelta(days=options.older_than))
    if options.yes:
        context.working = True
        for one in sweep.garbage:
            store.delete(one.path)
    counts = Counter(one.why for one in sweep.garbage)
    total = ", ".join(f"{count} of {why}" for why, count in sorted(counts.items()))
    done = "deleted" if options.yes else "would be deleted; give --yes to delete them"
    lines = [f"{one.why}: {one.path}" for one in sweep.garbage]
    lines += [f"not looked at: {sentence}" for sentence in sweep.left_out]
    lines.append(f"{len(sweep.garbage)} files {done} ({total})" if counts else "nothing to delete")
    context.show(sweep.model_dump(mode="json") | {"deleted": options.yes}, lines)
    return 0
