"""Medians, quartiles, and ratios of what was measured in the same round."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class Spread(TypedDict):
    """The middle of some measurements, and the quartiles around it."""

    q1: float
    median: float
    q3: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    return Spread(q1=float(q1), median=float(median), q3=float(q3))


def ratio(seconds: Sequence[float], others: Sequence[float]) -> Spread | None:
    """Of round by round; None if there is no round with both. The longer one has more rounds."""
    rounds = min(len(seconds), len(others))
    if not rounds:
        return None
    return spread([a / b for a, b in zip(seconds[:rounds], others[:rounds], strict=True)])
