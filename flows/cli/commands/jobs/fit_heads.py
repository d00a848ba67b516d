"""`jepa fit-heads`: small networks for planners, fitted on the frozen latents of a model."""

from flows.cli.commands.context import Context
from pipelines.heads import FitHeadsConfig
from pipelines.store import resolve_dataset
from pipelines.store.models.names import check_model_is_there

Options = FitHeadsConfig
EXAMPLE = "jepa fit-heads --model m0\n  jepa fit-heads --model m0 --heads inverse --options inverse.steps=8000"


def what_it_makes(options: FitHeadsConfig, context: Context) -> dict[str, str]:
    """Returns the names of model and dataset, by which a job on a cluster is found again."""
    return {"model": options.model} | ({"dataset": options.dataset} if options.dataset else {})


def execute(options: FitHeadsConfig, context: Context) -> int:
    """Fits the heads that are missing and says which there are."""
    store = context.store()
    check_model_is_there(store, options.model)
    if options.dataset is not None:
        resolve_dataset(store, options.dataset)
    # What computes is imported once both are known to be there: it takes seconds.
    from pipelines.heads import plan_heads
    from pipelines.heads.job import carry_out

    plan = plan_heads(options, store)
    with context.start(options):
        fitted = carry_out(plan, store, context.progress())
    facts = [
        head.model_dump(mode="json") | {"name": head.name, "fitted_before": head.name in fitted.earlier}
        for head in fitted.heads
    ]
    lines = [f"heads of model {plan.model}, on the train split of {plan.dataset}, seed {options.seed}"]
    for head in fitted.heads:
        before = f", fitted before by code {head.code_version}" if head.name in fitted.earlier else ""
        lines.append(f"head {head.name}: loss {head.loss:.4g}, {head.frames:,} frames, {head.seconds:.0f} s{before}")
    context.show({"model": plan.model.model_dump(), "dataset": plan.dataset.model_dump(), "heads": facts}, lines)
    return 0
