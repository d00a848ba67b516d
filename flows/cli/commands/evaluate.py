"""`jepa evaluate`: a model's figures on held-out episodes."""

from flows.cli.commands.context import Context
from flows.display import metrics_lines
from pipelines.evaluate import EvaluateConfig, plan_units
from pipelines.evaluate import evaluate as evaluate_model
from pipelines.reports import metrics_table

Options = EvaluateConfig
EXAMPLE = "jepa evaluate --model m0 --dataset d0 --kinds probing planning surprise"


def execute(options: EvaluateConfig, context: Context) -> int:
    """Evaluates the units that are missing and shows the figures."""
    store = context.store()
    plan_units(options, store)
    with context.start(options):
        manifests = evaluate_model(options, store, context.progress())
    run = manifests[0].run
    headlines = metrics_table(store, run)
    context.show(
        {"run": run, "metrics": [headline.model_dump(mode="json") for headline in headlines]},
        [*metrics_lines(headlines), f"`jepa report --run {run}` shows them all"],
    )
    return 0
