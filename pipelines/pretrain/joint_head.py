"""A head for planners that was trained with the model, as a head of the store like those that are fitted after it."""

from jepa.objectives import objective_config
from jepa.objectives.predictive import PredictiveConfig
from jepa.planning.heads.head import Head
from pipelines.store import Dataset
from pipelines.store.models.curve import Curve
from pipelines.store.models.heads.handle import FitFacts
from pipelines.store.models.heads.manifest import HeadRequest, Jointly
from pipelines.store.models.manifest import ModelManifest

FIGURE = "joint_head"
"""What the head's loss is called in a curve."""


def head_request(head: Head, model: ModelManifest, dataset: Dataset) -> HeadRequest:
    """Returns what a head depends on that was trained with a model on a dataset."""
    recipe = model.recipe
    config = objective_config(recipe.objective, recipe.objective_options)
    assert isinstance(config, PredictiveConfig)
    blocks = recipe.model.history + recipe.train.horizon - 1
    return HeadRequest(
        model=model.reference,
        dataset=dataset.manifest.reference,
        kind=head.kind,
        version=head.version,
        options=head.config.model_dump(mode="json"),
        seed=recipe.train.seed,
        jointly=Jointly(
            weight=config.joint_head_weight,
            detached=config.joint_head_detached,
            longest=blocks * recipe.model.frameskip,
        ),
    )


def training_facts(curve: Curve, dataset: Dataset) -> FitFacts:
    """Returns how the training of a head went, by the logged steps among the last tenth of the model's."""
    losses = {int(row["step"]): float(row["value"]) for row in curve.rows if row["metric"] == FIGURE}
    last = [loss for step, loss in losses.items() if step > 0.9 * max(losses)]
    frames = dataset.manifest.total("frames", "train")
    return FitFacts(episodes=dataset.count("train"), frames=frames, loss=sum(last) / len(last), seconds=curve.seconds)
