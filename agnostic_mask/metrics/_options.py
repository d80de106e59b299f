"""Options that several metrics share, checked where a metric is made."""

import math


def cut(threshold: float, from_logits: bool) -> float:
    """What a prediction must exceed to be positive.

    Raises
    ------
    ValueError
        If `threshold` is no probability, or one that no logit has.
    """
    if not 0 <= threshold <= 1 or (from_logits and threshold in (0, 1)):
        raise ValueError(
            f"threshold is {threshold!r}; expected a probability from 0 to 1, for logits too (then "
            f"neither 0 nor 1)"
        )
    return math.log(threshold / (1 - threshold)) if from_logits else threshold
