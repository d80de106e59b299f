"""Options that several metrics share, checked where a metric is made.

An option that is none raises ValueError; what is no number, or no bool, where one is wanted raises
TypeError.
"""

import math
import operator
from typing import Any

from agnostic_mask.losses._operands import option


def cut(threshold: float, from_logits: bool) -> float:
    """What a prediction must exceed to be positive.

    Raises
    ------
    ValueError
        If `threshold` is no probability, or one that no logit has.
    TypeError
        If `threshold` is no number, or `from_logits` no bool.
    """
    flag("from_logits", from_logits)
    option(
        "threshold",
        threshold,
        lambda x: 0 <= x <= 1 and not (from_logits and x in (0, 1)),
        "a probability from 0 to 1, for logits too (then neither 0 nor 1)",
    )
    return math.log(threshold / (1 - threshold)) if from_logits else threshold


def flag(name: str, value: Any) -> bool:
    """An option that is True or False; TypeError if it is neither."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; expected True or False")
    return value


def finite(name: str, value: float) -> float:
    """An option that is any finite number."""
    option(name, value, lambda x: -math.inf < x < math.inf, "a finite number")
    return value


def integer(name: str, value: Any, expected: str, least: int | None = None) -> int:
    """An option that is an integer of any type; ValueError if it is none, or below `least`."""
    try:
        found = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        found = None
    if found is None or (least is not None and found < least):
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return found


def class_axis(axis: Any) -> int:
    """The option `axis`."""
    return integer("axis", axis, "an integer, the class axis of y_pred")


def ignored(ignore_class: Any) -> int | None:
    """The option `ignore_class`."""
    expected = "one integer label, or None; of several labels make a mask"
    return None if ignore_class is None else integer("ignore_class", ignore_class, expected)
