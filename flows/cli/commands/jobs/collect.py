"""`jepa collect`: a dataset from a world."""

from flows.cli.commands.context import Context
from pipelines.collect import CollectConfig, plan_dataset

Options = CollectConfig
EXAMPLE = "jepa collect --world two_room --episodes 500 --seed 0 --name d0 --format mds --actors 2"


def what_it_makes(options: CollectConfig, context: Context) -> dict[str, str]:
    """Returns the dataset's name, by which a job on a cluster is found again."""
    plan_dataset(options)
    return {"dataset": options.name}


def execute(options: CollectConfig, context: Context) -> int:
    """Collects what is missing of the dataset."""
    plan_dataset(options)
    from pipelines.collect import collect as collect_dataset
    from pipelines.store import Dataset, DatasetHandle
    from pipelines.store.datasets.card import length_sentence

    store = context.store()
    with context.start(options):
        manifest = collect_dataset(options, store, context.progress())
    address = DatasetHandle(store, options.name).address
    dataset = Dataset(store, options.name, manifest=manifest)
    lengths = length_sentence(manifest.plan, dataset.episode_rows["steps"].to_numpy().tolist())
    figures = {"episodes": manifest.plan.episodes, "frames": manifest.total("frames"), "bytes": manifest.total("bytes")}
    context.show(
        {
            "dataset": options.name,
            "address": address,
            "world": manifest.plan.world,
            **figures,
            "notices": [lengths] if lengths else [],
        },
        [
            f"dataset {options.name}: " + ", ".join(f"{value:,} {name}" for name, value in figures.items()),
            *([lengths] if lengths else []),
            address,
        ],
    )
    return 0
