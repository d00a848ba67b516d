"""`jepa report`: the page of a run."""

from flows.cli.commands.context import Context
from pipelines.reports.page import ReportConfig
from pipelines.reports.page import report as render_report

Options = ReportConfig
EXAMPLE = "jepa report --run m0"


def execute(options: ReportConfig, context: Context) -> int:
    """Renders the report and shows its address."""
    store = context.store()
    result = render_report(options, store, context.progress())
    context.show({"run": result.run, "report": result.address}, [result.address])
    return 0
