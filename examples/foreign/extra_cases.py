"""Functions of array-api-extra."""

from typing import Any

import array_api_extra as xpx
import numpy as np
from array_api_compat import array_namespace

from agnostic_mask import conformance as c

TRACED = [c.compiles, c.needs_no_values]

DTYPE = (
    "float64 where the array library or the generic code has it so, the inputs' dtype on torch "
    "and JAX: https://github.com/data-apis/array-api-extra/pull/451"
)


def _covariance(m: np.ndarray, aweights: np.ndarray) -> np.ndarray:
    total = np.sum(aweights)
    centred = m - np.sum(m * aweights[:, None], axis=0) / total
    degrees = total - np.sum(aweights**2) / total
    return (centred * aweights[:, None]).T @ centred / degrees


def _repeated(m: np.ndarray, fweights: np.ndarray) -> np.ndarray:
    rows = np.repeat(m, fweights, axis=0)
    centred = rows - np.mean(rows, axis=0)
    return centred.T @ centred / (len(rows) - 1)


def nanmean_of(x: Any, mask: Any) -> Any:
    """Mean of what a mask leaves, by way of NaN."""
    xp = array_namespace(x)
    return xpx.nanmean(xp.where(mask, x, xp.nan), axis=0)


def nanmax_of(x: Any, mask: Any) -> Any:
    """Maximum of what a mask leaves, by way of NaN."""
    xp = array_namespace(x)
    return xpx.nanmax(xp.where(mask, x, xp.nan), axis=0)


def log_or_0(x: Any) -> Any:
    """Logarithm of what is above 0, 0 for the rest."""
    return xpx.apply_where(x > 0, x, lambda v: array_namespace(v).log(v), fill_value=0.0)


aweighted_cov = c.case(
    xpx.cov,
    m=c.floats((8, 3)),
    aweights=c.weights(over="m", axes=1),
    axis=0,
    oracle=_covariance,
    laws=[c.order_invariant, c.scale_invariant, c.exclusion_is_removal, c.gradient, *TRACED],
    not_applicable={c.dtype_kept: DTYPE},
    name="array_api_extra.cov aweights",
)

fweighted_cov = c.case(
    xpx.cov,
    m=c.floats((8, 3)),
    fweights=c.weights(over="m", axes=1, kind="integer"),
    axis=0,
    oracle=_repeated,
    laws=[c.order_invariant, c.weight_is_repetition, c.exclusion_is_removal, c.gradient],
    not_applicable={c.dtype_kept: DTYPE},
    name="array_api_extra.cov fweights",
)

# `accumulates_wide` is promised by nobody here; it shows what float32 sums along rows cost.
nanmean = c.case(
    nanmean_of,
    x=c.floats((8, 5)),
    mask=c.masks(over="x"),
    oracle=lambda x, mask: np.asarray([np.mean(a[m]) for a, m in zip(x.T, mask.T, strict=True)]),
    laws=[
        c.excluded_is_absent,
        c.exclusion_is_removal,
        c.order_invariant,
        c.gradient,
        *TRACED,
        c.accumulates_wide,
    ],
    name="array_api_extra.nanmean",
)

nanmax = c.case(
    nanmax_of,
    x=c.floats((8, 5)),
    mask=c.masks(over="x"),
    oracle=lambda x, mask: np.asarray([np.max(a[m]) for a, m in zip(x.T, mask.T, strict=True)]),
    laws=[c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant, c.gradient, *TRACED],
    name="array_api_extra.nanmax",
)

# Without oracles: the same code runs in higher precision.
apply_where = c.case(
    log_or_0,
    x=c.floats((8, 5), low=-3, high=3),
    laws=[c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="array_api_extra.apply_where",
)

sinc = c.case(
    xpx.sinc,
    x=c.floats((8, 5), low=-3, high=3),
    laws=[c.gradient, *TRACED, c.layout_invariant, c.thread_safe],
    name="array_api_extra.sinc",
)
