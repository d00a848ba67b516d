"""What can be known to be wrong with a whole job before any of it starts."""

from flows.config import WorldModelConfig
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from pipelines.collect import plan_dataset
from pipelines.pretrain import find_model
from pipelines.pretrain.trackers import check_trackers
from pipelines.store import DatasetHandle
from pipelines.store.datasets.manifest import continue_plan
from pipelines.store.models.manifest import check_same_training


def check_job(config: WorldModelConfig, store: Store) -> None:
    """Passes where every part can start.

    Raises:
        InputError: a world or a tracker's package is not installed, a name is taken by something else, or the parts do
            not fit together.
        InfraError: the store cannot be read.
    """
    plan = plan_dataset(config.collect)
    dataset = DatasetHandle(store, config.collect.name).manifest()
    if dataset is not None:
        continue_plan(config.collect.name, dataset.plan, plan)
    world = WORLDS.get(plan.world).world_spec
    recipe = config.pretrain.resolve(plan.world_options["image_size"], world.action_size)
    if recipe.train.batch_size < config.pretrain.workers:
        raise InputError(
            f"pretrain.batch_size is {recipe.train.batch_size}, less than pretrain.workers {config.pretrain.workers}; "
            "give each worker a clip"
        )
    if config.pretrain.executor == "local" and config.pretrain.workers > 1:
        raise InputError(
            f"pretrain.workers is {config.pretrain.workers} and pretrain.executor 'local', which is one process; "
            "set pretrain.workers to 1"
        )
    check_trackers(config.pretrain.trackers)
    model = find_model(store, config.pretrain.name)
    if model is not None:
        check_same_training(store, model, config.pretrain.same_training())
