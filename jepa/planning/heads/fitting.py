"""Fits a head on the latents of a frozen model: one loop for all kinds, the same head for the same seed."""

from collections.abc import Callable, Mapping

import torch

from jepa.core.errors import InputError
from jepa.core.seeds import seeded, torch_generator
from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadConfig, HeadSizes
from jepa.planning.heads.registry import HEADS

Fitted = Callable[[int, float], None]
"""Called after each optimiser step with its number and its loss."""


def fit_head(
    kind: str,
    config: HeadConfig,
    model: WorldModel,
    data: LatentEpisodes,
    quantities: Mapping[str, int],
    seed: int,
    fitted: Fitted | None = None,
    world: str | None = None,
) -> Head:
    """Returns a head of that kind, in evaluation mode, on the device of the latents; the model stays as it is.

    Args:
        kind: registered name.
        config: of the kind's `Config`.
        model: frozen; kinds that learn from imagined latents roll it out.
        data: the train split's latents.
        quantities: dimensions of each recorded quantity.
        seed: of weights and draws.
        fitted: called after each step.
        world: registered name of the world, whose angles are then read as such.

    Raises:
        InputError: the loss is not finite.
    """
    model.eval()
    with seeded(seed, "head", kind):
        head = HEADS.get(kind)(config, HeadSizes.of(model, quantities, world))
    head.measure(data)
    head.to(data.z_ND.device)
    generator = torch_generator(seed, "head batches", kind)
    optimiser = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    for step in range(config.steps):
        optimiser.zero_grad(set_to_none=True)
        loss = head.loss(data, model, generator)
        loss.backward()
        optimiser.step()
        schedule.step()
        if fitted is not None:
            fitted(step + 1, float(loss.detach()))
    if not all(parameter.isfinite().all() for parameter in head.parameters()):
        raise InputError(f"head {kind!r} diverged at learning_rate {config.learning_rate}; choose a smaller one")
    return head.eval()
