"""How much probing looks at, and how large its probes are."""

from pydantic import NonNegativeInt, PositiveInt

from jepa.core.config import Config
from jepa.evaluation.kinds.probing.probes import ProbeConfig


class ProbingConfig(Config):
    """How many frames the probes are fitted to and judged on, what is compared with what, and the probes themselves."""

    train_frames: PositiveInt = 16_000
    """frames of the training split that the probes are fitted to"""
    validation_frames: PositiveInt = 2_000
    """frames that tell the MLP when to stop"""
    test_frames: PositiveInt = 5_000
    """frames of each held-out split that the probes are judged on"""
    blocks_ahead: NonNegativeInt = 5
    """most action blocks that are predicted without a look, fewer where episodes are short; 0: no predictions"""
    frames_together: PositiveInt = 3
    """frames, an action block apart, whose latents one more probe reads together; 1: no such probe"""
    baseline_frames: NonNegativeInt = 3_000
    """training frames that baselines, and the probe of several frames, are fitted to; 0: neither of them"""
    compared_frames: PositiveInt = 1_000
    """frames of each held-out split that predictions and baselines are judged on, the same for all of them"""
    pca_frames: PositiveInt = 500
    """training frames whose pixels the principal components are of"""
    predictions: PositiveInt = 500
    """rows of the scatter table for each split, probe and quantity"""
    probe: ProbeConfig = ProbeConfig()
    """hyper-parameters of the probes"""
