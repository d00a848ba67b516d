"""`jepa evaluate`: a model's figures on held-out episodes."""

from flows.cli.commands.context import Context
from pipelines.evaluate import EvaluateConfig
from pipelines.store import resolve_dataset
from pipelines.store.models.names import check_model_is_there

Options = EvaluateConfig
EXAMPLE = "jepa evaluate --model m0 --dataset d0 --kinds probing planning surprise"


def what_it_makes(options: EvaluateConfig, context: Context) -> dict[str, str]:
    """Returns the run's name, by which a job on a cluster is found again, and the names of model and dataset."""
    dataset = {"dataset": options.dataset} if options.dataset else {}
    return {"run": options.run or options.model, "model": options.model} | dataset


def execute(options: EvaluateConfig, context: Context) -> int:
    """Evaluates the units that are missing and shows the figures of all that were asked for."""
    store = context.store()
    check_model_is_there(store, options.model)
    if options.dataset is not None:
        resolve_dataset(store, options.dataset)
    # What computes is imported once both are known to be there: it takes seconds.
    from flows.cli.shift_lines import shift_facts, shift_lines
    from flows.display import checkpoint_lines, evaluation_facts, evaluation_lines, figure_lines, metrics_lines
    from flows.shifts import judge, prepare
    from jepa.evaluation.evaluation import EVALUATIONS, declared
    from pipelines.reports.summary import headlines
    from pipelines.store.reports import read_table

    prepared = prepare(options, store)
    with context.start(options):
        evaluated, shifts = judge(prepared, store, context.progress())
    metrics = read_table(store, "metrics", units=evaluated.units).compute()
    figures = headlines(metrics)
    # A kind that declares no headline figure has been evaluated all the same.
    headless = metrics[~metrics.evaluation.isin([kind for kind in EVALUATIONS if declared(kind).headlines])]
    context.show(
        {**evaluation_facts(evaluated), "metrics": [figure.model_dump(mode="json") for figure in figures]}
        | shift_facts(shifts),
        [
            *evaluation_lines(evaluated),
            "",
            *(metrics_lines(figures) if figures or headless.empty else []),
            *figure_lines(headless),
            "",
            *shift_lines(shifts),
            *checkpoint_lines(evaluated),
            f"`jepa report --run {evaluated.run}` shows all of run {evaluated.run}",
        ],
    )
    return 0
