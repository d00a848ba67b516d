"""What can be known to be wrong with a whole job before any of it starts."""

from flows.whole_job.config import WorldModelConfig
from infra.storage import Store
from jepa.core.episodes import check_frameskip
from jepa.worlds import WORLDS
from pipelines.collect import plan_dataset
from pipelines.pretrain.plan import check_batch, check_workers
from pipelines.pretrain.records.trackers import check_trackers
from pipelines.pretrain.request import find_trained
from pipelines.store import DatasetHandle
from pipelines.store.datasets.manifest import continue_plan
from pipelines.store.models.claim import check_not_held
from pipelines.store.models.manifest import ModelHandle


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
    check_frameskip(recipe.model.frameskip, plan.frame_every, f"dataset {config.collect.name!r}")
    check_batch(config.pretrain, recipe, "pretrain.")
    check_workers(config.pretrain, "pretrain.")
    check_trackers(config.pretrain.trackers)
    model = ModelHandle(store, config.pretrain.name)
    if find_trained(model, config.pretrain) is None:
        check_not_held(model)
