"""Intervals with chance in them, so that what waits together does not wake together."""

from collections.abc import Callable
from math import exp, log, log2

_SMALLEST = 1e-300


def spread(average: float, factor: float, chance: Callable[[], float]) -> float:
    """Seconds around `average`, drawn from the exponential distribution cut off on both sides.

    The upper end is `average * (1 + factor)`; the lower one lies so that a draw is about as likely below the
    middle as above it. `factor` is positive; no average gives no interval.
    """
    if average <= 0:
        return 0.0
    longest = 1 + factor
    shortest = -log2(1 - 2**-longest)
    low, high = exp(-longest), exp(-shortest)
    return -average * log(max(low + (high - low) * chance(), _SMALLEST))
