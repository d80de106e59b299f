"""Losses: functions of (y_true, y_pred) that return scores, one for each element or row.

They neither mask nor reduce; `agnostic_mask.weighted_masked_objective` does both, for these
and for any other function. Options are given by `functools.partial`.
"""

from agnostic_mask.losses._binary import (
    binary_crossentropy,
    binary_focal_crossentropy,
)
from agnostic_mask.losses._categorical import (
    categorical_crossentropy,
    categorical_focal_crossentropy,
)
from agnostic_mask.losses._deviance import (
    gamma_deviance,
    gaussian_nll,
    poisson,
    tweedie_deviance,
)
from agnostic_mask.losses._divergence import (
    cosine_similarity,
    js_divergence,
    kl_divergence,
)
from agnostic_mask.losses._margin import (
    categorical_hinge,
    hinge,
    squared_hinge,
)
from agnostic_mask.losses._ratios import (
    dice,
    jaccard,
    tversky,
)
from agnostic_mask.losses._regression import (
    absolute_error,
    pinball,
    squared_error,
)
from agnostic_mask.losses._relative import (
    absolute_percentage_error,
    squared_logarithmic_error,
    symmetric_absolute_percentage_error,
)
from agnostic_mask.losses._robust import (
    charbonnier,
    huber,
    log_cosh,
    smooth_l1,
)
from agnostic_mask.losses._sparse import (
    categorical_generalized_cross_entropy,
    nll,
    sparse_categorical_crossentropy,
)

__all__ = [
    "absolute_error",
    "absolute_percentage_error",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "charbonnier",
    "cosine_similarity",
    "dice",
    "gamma_deviance",
    "gaussian_nll",
    "hinge",
    "huber",
    "jaccard",
    "js_divergence",
    "kl_divergence",
    "log_cosh",
    "nll",
    "pinball",
    "poisson",
    "smooth_l1",
    "sparse_categorical_crossentropy",
    "squared_error",
    "squared_hinge",
    "squared_logarithmic_error",
    "symmetric_absolute_percentage_error",
    "tversky",
    "tweedie_deviance",
]
