"""Rates: how often something happened."""

from jepa.evaluation.statistics.estimates import Estimate


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
