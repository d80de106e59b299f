"""Losses: functions of (y_true, y_pred) that return scores, one for each element or row.

They neither mask nor reduce; `agnostic_mask.weighted_masked_objective` does both, for these
and for any other function. Options are given by `functools.partial`.
"""

from agnostic_mask.losses._classification import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from agnostic_mask.losses._regression import absolute_error, huber, squared_error

__all__ = [
    "absolute_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "sparse_categorical_crossentropy",
    "squared_error",
]
