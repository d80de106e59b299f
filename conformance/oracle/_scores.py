"""Each loss for one element or row: its value, and the error that one score may have."""

from collections.abc import Callable, Mapping
from typing import Any

from . import _scores_classes, _scores_real, _scores_vectors
from ._scores_common import Scored

SCORES: Mapping[str, Callable[..., Scored]] = {
    fn.__name__: fn
    for fn in (
        _scores_classes.binary_crossentropy,
        _scores_classes.binary_focal_crossentropy,
        _scores_classes.categorical_crossentropy,
        _scores_classes.categorical_focal_crossentropy,
        _scores_classes.categorical_generalized_cross_entropy,
        _scores_classes.nll,
        _scores_classes.sparse_categorical_crossentropy,
        _scores_real.absolute_error,
        _scores_real.absolute_percentage_error,
        _scores_real.charbonnier,
        _scores_real.gamma_deviance,
        _scores_real.gaussian_nll,
        _scores_real.hinge,
        _scores_real.huber,
        _scores_real.log_cosh,
        _scores_real.pinball,
        _scores_real.poisson,
        _scores_real.smooth_l1,
        _scores_real.squared_error,
        _scores_real.squared_hinge,
        _scores_real.squared_logarithmic_error,
        _scores_real.symmetric_absolute_percentage_error,
        _scores_real.tweedie_deviance,
        _scores_vectors.categorical_hinge,
        _scores_vectors.cosine_similarity,
        _scores_vectors.js_divergence,
        _scores_vectors.kl_divergence,
    )
}

LABELS, VALUES, DISTRIBUTIONS = "labels", "values", "distributions"

CLASS_AXIS: Mapping[str, str] = {
    "categorical_crossentropy": DISTRIBUTIONS,
    "categorical_focal_crossentropy": DISTRIBUTIONS,
    "categorical_generalized_cross_entropy": LABELS,
    "categorical_hinge": DISTRIBUTIONS,
    "cosine_similarity": DISTRIBUTIONS,
    "gaussian_nll": VALUES,
    "js_divergence": DISTRIBUTIONS,
    "kl_divergence": DISTRIBUTIONS,
    "nll": LABELS,
    "sparse_categorical_crossentropy": LABELS,
}
"""Losses whose y_pred has a class axis, and what y_true then is: an integer or a real number for
each row, or what has the axis too."""


def without_axis(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a score but for its class axis, which is taken care of before."""
    return {name: x for name, x in options.items() if name != "axis"}
