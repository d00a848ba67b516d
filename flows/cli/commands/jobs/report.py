"""`jepa report`: the page of a run, of a comparison, or the leaderboard of a store."""

from flows.cli.commands.context import Context
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.reports.page import ReportConfig
from pipelines.store.reports import latest_run, require_run

Options = ReportConfig
EXAMPLE = "jepa report --run m0\n  jepa report --compare m0 m1\n  jepa report --leaderboard"


def execute(options: ReportConfig, context: Context) -> int:
    """Renders the report of a run, of a comparison, or the leaderboard, and shows its address."""
    chosen = [name for name in ("run", "compare", "leaderboard") if getattr(options, name)]
    if len(chosen) > 1:
        raise InputError(f"--{chosen[0]} and --{chosen[1]} make different pages; give one of them")
    store = context.store()
    if options.compare:
        return _show_comparison(options, store, context)
    if options.leaderboard:
        return _show_leaderboard(store, context)
    require_run(store, options.run or latest_run(store))
    # What draws is imported once the run is known to be there: it takes seconds.
    from pipelines.reports.page import report as render_report

    result = render_report(options, store, context.progress())
    context.show({"run": result.run, "report": result.address}, [result.address])
    return 0


def _show_comparison(options: ReportConfig, store: Store, context: Context) -> int:
    from pipelines.reports.comparison import compare

    found = compare(store, options.compare)
    from pipelines.reports.comparison.pages.writing import write_comparison

    address = write_comparison(store, found)
    context.show({"report": address, **found.model_dump(mode="json")}, [address])
    return 0


def _show_leaderboard(store: Store, context: Context) -> int:
    from pipelines.reports.comparison.pages.writing import write_leaderboard_page

    address, table = write_leaderboard_page(store)
    context.show({"report": address, "rows": len(table)}, [address])
    return 0
