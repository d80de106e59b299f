"""Masked, weighted losses, reductions and metrics for any array API library.

The arrays of a call say which framework computes it: NumPy, CuPy, torch, JAX, Dask, or any
other library that follows the Python array API standard. Nothing is set globally.
"""

from agnostic_mask import losses, metrics, states
from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._convert import convert
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch, agnostic, available_backends, dispatch
from agnostic_mask._errors import (
    AgnosticMaskError,
    AxisError,
    CopyRequiredError,
    MixedDevicesError,
    MixedFrameworksError,
    ShapeMismatchError,
    StateFileError,
    StateMismatchError,
    UnsupportedArrayError,
)
from agnostic_mask._fusion import FusionWarning
from agnostic_mask._masks import class_weights, sequence_mask
from agnostic_mask._objective import Objective, weighted_masked_objective
from agnostic_mask._probe import Probe
from agnostic_mask._reductions._covariance import corrcoef, cov
from agnostic_mask._reductions._cumulative import cumulative_sum
from agnostic_mask._reductions._exponentials import log_softmax, logsumexp, softmax
from agnostic_mask._reductions._extremes import all, any, max, min
from agnostic_mask._reductions._histogram import histogram
from agnostic_mask._reductions._norms import vector_norm
from agnostic_mask._reductions._positions import argmax, argmin
from agnostic_mask._reductions._quantiles import median, quantile
from agnostic_mask._reductions._standard_error import standard_error
from agnostic_mask._reductions._sums import count, mean, std, sum, sum_of_weights, var
from agnostic_mask._tally import Tally

__version__ = "0.1.0"

__all__ = [
    "AgnosticMaskError",
    "Array",
    "AxisError",
    "Backend",
    "CopyRequiredError",
    "Dispatch",
    "FusionWarning",
    "MixedDevicesError",
    "MixedFrameworksError",
    "Objective",
    "Probe",
    "ShapeMismatchError",
    "StateFileError",
    "StateMismatchError",
    "Tally",
    "UnsupportedArrayError",
    "agnostic",
    "all",
    "any",
    "argmax",
    "argmin",
    "available_backends",
    "class_weights",
    "convert",
    "corrcoef",
    "count",
    "cov",
    "cumulative_sum",
    "dispatch",
    "histogram",
    "log_softmax",
    "logsumexp",
    "losses",
    "max",
    "mean",
    "median",
    "metrics",
    "min",
    "quantile",
    "scores",
    "sequence_mask",
    "softmax",
    "standard_error",
    "states",
    "std",
    "sum",
    "sum_of_weights",
    "var",
    "vector_norm",
    "weighted_masked_objective",
]
