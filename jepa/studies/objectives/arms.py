"""The arms of the study: every registered objective, and how each is made ready for a world.

Two names are none of `OBJECTIVES`. `prediction_only` is next-latent prediction with nothing against collapse (`pldm`
with all six weights at zero). `frozen_random` is `frozen` with an encoder as it was initialised, since this study has
no pretrained weights: what a predictor alone can do, not what DINO-WM does.
"""

from collections.abc import Mapping
from typing import Any

import torch

from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES, Objective, make_objective
from jepa.studies.in_memory.clips import ClipSampler
from jepa.studies.in_memory.episodes import MemoryEpisodes
from jepa.worlds.declarations import Quantity
from jepa.worlds.registry import WORLDS

NO_TERMS = dict.fromkeys(("variance", "covariance", "time_similarity", "time_variance"), 0.0)
SPECIAL: Mapping[str, tuple[str, dict[str, Any]]] = {
    "prediction_only": ("pldm", NO_TERMS),
    "frozen_random": ("frozen", {}),
}
"""Arms that are no registered objective: which one they are made of, and its options."""
SETTLING_BATCHES = 40
"""Batches on which the BatchNorm of a frozen encoder's projector measures its statistics."""


ARMS = (
    "auxiliary",
    "ema",
    "frozen_random",
    "lejepa",
    "lewm",
    "pldm",
    "prediction_only",
    "reconstruction",
    "spectral",
)
"""Arms of the presets: the objectives of the house, `frozen` by `frozen_random`."""


def check_arm(name: str) -> None:
    """Passes where there is such an arm; an objective from outside this tree is one too.

    Raises:
        InputError: there is none.
    """
    known = sorted({*OBJECTIVES, *SPECIAL} - {"frozen"})
    if name not in known:
        raise InputError(f"objective {name!r} is no arm of this study; choose one of: {', '.join(known)}")


def make_arm(
    name: str, model: WorldModel, source: MemoryEpisodes, sampler: ClipSampler, options: Mapping[str, Any], seed: int
) -> Objective:
    """Returns the arm's objective on a model.

    Args:
        name: of the arm.
        model: freshly initialised.
        source: the episodes, whose world says what an auxiliary head regresses.
        sampler: of training clips, on which a frozen encoder settles.
        options: of the objective, over those of the arm.
        seed: of what the objective adds to the model.

    Raises:
        InputError: there is no such arm, or an option does not fit.
    """
    check_arm(name)
    objective, own = SPECIAL.get(name, (name, {}))
    if objective == "auxiliary":
        quantity = regressed_quantity(source.world)
        own = {"quantity": quantity.name, "quantity_size": quantity.size}
    if name == "frozen_random":
        settle(model, sampler)
    made = make_objective(objective, model, {**own, **options}, seed)
    if name == "frozen_random":
        # A state that is loaded brings the encoder's weights: here those that it was initialised with.
        made.load_state_dict(made.state_dict())
    return made


def regressed_quantity(world: str) -> Quantity:
    """Returns what the auxiliary head regresses: the quantity whose path is drawn, or the first that is probed."""
    spec = WORLDS.get(world).world_spec
    probed = [quantity for quantity in spec.quantities if quantity.probe]
    return next((quantity for quantity in probed if quantity.name == spec.path_quantity), probed[0])


@torch.no_grad()
def settle(model: WorldModel, sampler: ClipSampler) -> None:
    """Has the BatchNorm of an untrained model measure what comes in, so that its latents have a scale."""
    model.train()
    for number in range(SETTLING_BATCHES):
        model.encode(sampler.batch(number).pixels_BTHWC)
