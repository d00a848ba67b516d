"""`jepa reports`: the report tables of a store: taken into few files, and how other programs read them."""

from typing import TYPE_CHECKING, Literal

from flows.cli.commands.context import Context
from flows.cli.table import table_lines
from jepa.core.config import Config
from jepa.core.errors import InputError

if TYPE_CHECKING:
    from pipelines.store.reports.compaction.others import TableView


class ReportsOptions(Config):
    """What to do with the report tables."""

    action: Literal["compact", "files", "sql"]
    """`compact` takes the rows of all units into few files; `files` lists the files of a table; `sql` is the query by
    which DuckDB reads its rows, each once"""
    table: str = "metrics"
    """table whose files or query are wanted: metrics, training, episodes …"""
    checkpoints: bool = False
    """have the query of `sql` also read rows of checkpoints, which have a training_step"""
    shifts: bool = False
    """have the query of `sql` also read rows of shifted datasets, which have a factor"""
    dry_run: bool = False
    """say what `compact` would do, and do nothing"""


Options = ReportsOptions
POSITIONAL = "action"
EXAMPLE = 'jepa reports compact --dry-run\n  jepa reports compact\n  duckdb -c "$(jepa reports sql --table metrics)"'


def execute(options: ReportsOptions, context: Context) -> int:
    """Compacts, or says how the rows of a table are read."""
    for name in ("checkpoints", "shifts"):
        if getattr(options, name) and options.action != "sql":
            raise InputError(f"{name} is given with {options.action!r}, which leaves no rows out; leave it out")
    if options.action == "compact":
        return _compact(options, context)
    if options.dry_run:
        raise InputError(f"dry_run is given with {options.action!r}, which changes nothing; leave it out")
    from pipelines.store.reports.compaction.others import view_of

    store = context.store(writes=False)
    if options.action == "sql":
        view = view_of(store, options.table, checkpoints=options.checkpoints, shifts=options.shifts)
        context.show(view.model_dump(mode="json"), [view.sql])
    else:
        view = view_of(store, options.table)
        context.show(view.model_dump(mode="json"), _file_lines(view))
    return 0


def _compact(options: ReportsOptions, context: Context) -> int:
    """Compacts, or counts what would be taken."""
    from pipelines.store.reports.compaction.compact import compact, plan_compaction

    store = context.store(writes=not options.dry_run)
    if options.dry_run:
        planned = plan_compaction(store)
        lines = [f"{planned.taken:,} units would be taken in, and {planned.dropped:,} superseded rows dropped"]
        context.show(planned.model_dump(mode="json") | {"compacted": False}, lines)
        return 0
    context.working = True
    made = compact(store)
    context.show(made.model_dump(mode="json") | {"compacted": True}, made.lines())
    return 0


def _file_lines(view: "TableView") -> list[str]:
    rows = [{"file": one.address, "rows": f"{one.rows:,}", "superseded": f"{one.superseded:,}"} for one in view.files]
    return table_lines(rows, right=("rows", "superseded")) or [f"table {view.table} has no rows yet"]
