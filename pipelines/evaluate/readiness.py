"""Whether models and heads can do what an evaluation asks of them: found out before any of it starts.

It takes the weights themselves: a head that is damaged, an option that a head does not know and latents that are no
numbers would otherwise stop the first worker, with the run planned and logged already.
Shapes: T frames, K actions in an action block, A action dimensions.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation.evaluation import present_splits
from jepa.models.world_model import WorldModel
from jepa.planning.problem_manifest import ProblemManifest
from pipelines.evaluate.shifted_source import Judged, open_judged
from pipelines.evaluate.unit import EvaluationUnit
from pipelines.store.models.checkpoint_model import read_checkpoint_model
from pipelines.store.models.heads.handle import read_head
from pipelines.store.models.manifest import read_model


def check_ready(units: Sequence[EvaluationUnit], problems: Sequence[ProblemManifest], store: Store) -> None:
    """Passes where the models of these units, with their heads, fit what their evaluations ask.

    Args:
        units: what is to be done.
        problems: the manifests that they name.
        store: where models and heads are.

    Raises:
        InputError: a planner cannot be made, or a model's latents are not finite.
        InfraError: weights of a model or of a head are missing or damaged.
    """
    manifests = {held.digest: held for held in problems}
    asked: dict[tuple[object, ...], list[EvaluationUnit]] = {}
    for unit in units:
        asked.setdefault((unit.model, unit.training_step, unit.dataset), []).append(unit)
    for own in asked.values():
        dataset, model = open_judged(store, own[0].dataset, own[0].shift), _model(own[0], store)
        _check_finite(str(own[0].model), model, dataset)
        for unit in {replace(one, part="", count=None, items=None): one for one in own}.values():
            evaluation = unit.evaluation()
            if unit.problems is not None:
                evaluation.use_problems(manifests[unit.problems])
            evaluation.use_heads({head.kind: read_head(store, unit.model, head) for head in unit.heads})
            evaluation.check(model, dataset)


def _model(unit: EvaluationUnit, store: Store) -> WorldModel:
    try:
        if unit.training_step is not None:
            return read_checkpoint_model(store, unit.model, unit.training_step).eval()
        return read_model(store, unit.model)[1].eval()
    except InputError as error:
        raise InputError(f"model {unit.model}: {error}") from error


def _check_finite(name: str, model: WorldModel, dataset: Judged) -> None:
    """Passes where a held-out frame and what is imagined after it have finite latents."""
    sizes = model.config
    for split in present_splits(dataset):
        for episode in dataset.episodes(split, limit=1):
            pixels_1THWC = torch.from_numpy(episode.pixels[None, :1].copy())
            action_1HKA = torch.zeros(1, 1, sizes.frameskip, sizes.action_size)
            with torch.inference_mode():
                z_1TD = model.encode(pixels_1THWC)
                imagined_1HD = model.rollout(z_1TD, action_1HKA)
            if not (z_1TD.isfinite().all() and imagined_1HD.isfinite().all()):
                raise InputError(
                    f"model {name} makes latents of a held-out frame that are not finite, so that nothing can be "
                    "judged; choose another checkpoint, or train it again with a smaller learning rate"
                )
            return
