"""The learning rate as a function of the step, and of nothing else."""

import math


def learning_rate_at(step: int, total_steps: int, peak: float, warmup_steps: int, final_share: float = 0.0) -> float:
    """Returns the rate of a step counted from 0: linear warm-up to the peak, then a cosine down to `final_share` of it.

    Steps are those of the global batch, so that the number of workers changes nothing.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return peak * (final_share + (1.0 - final_share) * 0.5 * (1.0 + math.cos(math.pi * progress)))
