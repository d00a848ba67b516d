"""`jepa pretrain`: a model from a dataset."""

from flows.cli.commands.context import Context
from pipelines.pretrain import PretrainConfig
from pipelines.pretrain.sources import check_sources_are_there

Options = PretrainConfig
EXAMPLE = "jepa pretrain --dataset d0 --name m0 --objective lewm --steps 2000 --workers 2"


def what_it_makes(options: PretrainConfig, context: Context) -> dict[str, str]:
    """Returns the model's name, by which a job on a cluster is found again, and its dataset's."""
    return {"model": options.name, "dataset": options.dataset}


def execute(options: PretrainConfig, context: Context) -> int:
    """Trains the model, from its last checkpoint on if there is one."""
    store = context.store()
    check_sources_are_there(store, options.name, options.dataset, options.init_from)
    # What computes is imported once the dataset is known to be there: it takes seconds.
    from pipelines.pretrain import check_training
    from pipelines.pretrain import pretrain as pretrain_model
    from pipelines.store.models.manifest import ModelHandle

    check_training(options, store)
    with context.start(options):
        manifest = pretrain_model(options, store, context.progress())
    address = ModelHandle(store, options.name).address
    context.show(
        {
            "model": manifest.name,
            "digest": manifest.digest,
            "address": address,
            "dataset": str(manifest.dataset_ref or manifest.dataset),
            "parameters": manifest.parameters,
            "steps": manifest.recipe.train.steps,
            "segments": [segment.model_dump() for segment in manifest.segments],
            "seconds": manifest.seconds,
        },
        [
            f"model {manifest.reference}: {manifest.parameters:,} parameters, {manifest.recipe.train.steps:,} steps "
            f"on dataset {manifest.dataset_ref or manifest.dataset} in {manifest.seconds:.0f} s",
            address,
        ],
    )
    return 0
