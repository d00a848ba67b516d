"""`jepa report`: the page of a run."""

from flows.cli.commands.context import Context
from pipelines.reports.page import ReportConfig
from pipelines.store.reports import latest_run, require_run

Options = ReportConfig
EXAMPLE = "jepa report --run m0"


def execute(options: ReportConfig, context: Context) -> int:
    """Renders the report and shows its address."""
    store = context.store()
    require_run(store, options.run or latest_run(store))
    # What draws is imported once the run is known to be there: it takes seconds.
    from pipelines.reports.page import report as render_report

    result = render_report(options, store, context.progress())
    context.show({"run": result.run, "report": result.address}, [result.address])
    return 0
