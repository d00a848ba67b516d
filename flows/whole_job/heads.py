"""The heads that a whole job fits between training and evaluation: those that planners of its protocol ask for."""

from flows.whole_job.config import WorldModelConfig
from infra.storage import Store
from pipelines.evaluate.heads import missing_heads
from pipelines.evaluate.plan import protocol_of
from pipelines.heads import FitHeadsConfig


def heads_to_fit(config: WorldModelConfig, store: Store) -> FitHeadsConfig | None:
    """Returns what is to be fitted on the trained model, where the evaluation runs; None where nothing is missing.

    Raises:
        InputError: the model or the protocol is not there.
    """
    judged = config.evaluate
    kinds = missing_heads(judged, store, protocol_of(judged, config.collect.world))
    if not kinds:
        return None
    return FitHeadsConfig(
        model=judged.model,
        heads=kinds,
        seed=config.pretrain.seed,
        workers=min(judged.workers, len(kinds)),
        executor=judged.executor,
        cpus=judged.cpus,
        device=judged.device,
    )
