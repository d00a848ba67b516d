"""What the evaluation `spectrum` looks at, and how the plans are made whose regret stands beside the bound."""

from pydantic import Field, NonNegativeFloat, PositiveInt

from jepa.core.config import Config
from jepa.evaluation.kinds.planning.config import PlanningConfig
from jepa.evaluation.kinds.probing.probes import ProbeConfig


def _regret_alone() -> PlanningConfig:
    """Returns the settings of planning with nothing that only a report of plans needs."""
    return PlanningConfig(
        problems=50, frames_shown=0, position_frames=50, position_probe=ProbeConfig(hidden=8, steps=1)
    )


class SpectrumConfig(Config):
    """How much is looked at."""

    train_episodes: PositiveInt = 500
    """episodes of the training split that directions are fitted to"""
    episodes: PositiveInt = 200
    """episodes of each held-out split"""
    ridge: NonNegativeFloat = 1e-3
    """regularisation of the directions, as a share of the mean variance of latent and action"""
    cut: NonNegativeFloat = 1e-4
    """latent directions with less than this share of the largest variance are left out"""
    blocks: PositiveInt = 20
    """most blocks of episodes that are left out in turn for an interval"""
    planning: PlanningConfig = Field(default_factory=_regret_alone)
    """plans whose regret is measured, where the recorded world can be simulated"""
