"""Functions of SciPy, whose array-API code is on where SCIPY_ARRAY_API=1 is set beforehand."""

import math
import os
from typing import Any

import numpy as np

if os.environ.get("SCIPY_ARRAY_API") != "1":
    raise RuntimeError("SCIPY_ARRAY_API is not 1; set it before Python starts, as README.md shows")

from scipy import special, stats

from agnostic_mask import conformance as c


def _sum(terms: np.ndarray) -> float:
    return math.fsum(terms.reshape(-1))


def _geometric(a: np.ndarray, weights: np.ndarray) -> float:
    return math.exp(_sum(weights * np.log(a)) / _sum(weights)) if a.size else math.nan


def _harmonic(a: np.ndarray, weights: np.ndarray) -> list[float]:
    pairs = zip(a.T, weights.T, strict=True)
    return [_sum(w) / _sum(w / column) for column, w in pairs]


def _divergence(pk: np.ndarray, qk: np.ndarray) -> list[float]:
    """Relative entropy of columns, each made a distribution first."""
    pairs = zip(pk.T, qk.T, strict=True)
    return [_sum(p / _sum(p) * np.log(p / _sum(p) / (q / _sum(q)))) for p, q in pairs]


def gmean_by_position(a: Any, weights: Any) -> Any:
    """The geometric mean, its first argument passed as most callers do."""
    return stats.gmean(a, weights=weights, axis=None)


MEAN = [c.order_invariant, c.scale_invariant, c.exclusion_is_removal, c.gradient]
"""What holds for a weighted mean."""

TRACED = [c.compiles, c.needs_no_values]
"""Where SciPy's tables say that jax.jit works and that Dask computes nothing."""

gmean = c.case(
    gmean_by_position,
    a=c.floats((8, 5), low=0.1, high=10),
    weights=c.weights(over="a"),
    oracle=_geometric,
    laws=[*MEAN, *TRACED, c.holds_for_degenerate, c.layout_invariant, c.thread_safe],
    name="scipy.stats.gmean",
)

gmean_by_name = c.case(
    stats.gmean,
    a=c.floats((8, 5), low=0.1, high=10),
    weights=c.weights(over="a"),
    axis=None,
    oracle=_geometric,
    laws=[*MEAN, *TRACED],
    name="scipy.stats.gmean by name",
)

hmean = c.case(
    stats.hmean,
    a=c.floats((8, 5), low=0.1, high=10),
    weights=c.weights(over="a"),
    oracle=_harmonic,
    laws=[*MEAN, c.layout_invariant, c.thread_safe],
    not_applicable={
        c.nothing_hidden: "looks for numbers below 0; the tables say that Dask computes once"
    },
    name="scipy.stats.hmean",
)

logsumexp = c.case(
    special.logsumexp,
    a=c.floats((8, 5), low=-5, high=5),
    oracle=lambda a: math.log(_sum(np.exp(a))),
    laws=[c.order_invariant, c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="scipy.special.logsumexp",
)

# "To use it on a masked array, convert the mask into zero weights", says its documentation.
masked_logsumexp = c.case(
    special.logsumexp,
    a=c.floats((8, 5), low=-5, high=5),
    b=c.weights(over="a"),
    oracle=lambda a, b: math.log(_sum(b[b > 0] * np.exp(a[b > 0]))),
    laws=[c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant, c.gradient, *TRACED],
    name="scipy.special.logsumexp masked",
)

# Without an oracle: the same code runs in higher precision.
softmax = c.case(
    special.softmax,
    x=c.floats((8, 5), low=-5, high=5),
    axis=1,
    laws=[c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="scipy.special.softmax",
)

log_softmax = c.case(
    special.log_softmax,
    x=c.floats((8, 5), low=-5, high=5),
    axis=1,
    laws=[c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="scipy.special.log_softmax",
)

entropy = c.case(
    stats.entropy,
    pk=c.floats((8, 5), low=0.1, high=10),
    qk=c.floats((8, 5), low=0.1, high=10),
    oracle=_divergence,
    laws=[c.order_invariant, c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="scipy.stats.entropy",
)
