"""Rates: how often something happened."""

import math

from jepa.evaluation.statistics.estimates import Z_95, Estimate


def wilson(successes: int, n: int) -> Estimate:
    """Returns a rate with Wilson's score interval, which stays inside [0, 1] and has a width even at 0 and at 1.

    Raises:
        ValueError: `n` is not positive or `successes` lies outside [0, n].
    """
    from scipy.stats import binomtest  # a third of a second to import, which commands that show no figure are spared

    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"a rate needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    interval = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
    return Estimate(successes / n, float(interval.low), float(interval.high), n)


def score_interval(rate: float, samples: float, n: int) -> Estimate:
    """Returns a rate with the same interval of any number of samples, which frames that hang together are worth.

    Args:
        rate: share of the samples.
        samples: independent samples that the rate is worth.
        n: episodes, as the estimate says them.
    """
    z2 = Z_95**2
    centre = (rate + z2 / (2 * samples)) / (1 + z2 / samples)
    half = Z_95 / (1 + z2 / samples) * math.sqrt(rate * (1 - rate) / samples + z2 / (4 * samples**2))
    return Estimate(rate, max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half)), n)
