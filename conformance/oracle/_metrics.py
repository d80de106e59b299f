"""Metrics in higher precision: gather the included elements, then the textbook's definition."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._reference import Reference
from ._elements import Elements
from ._metrics_binned import BINNED
from ._metrics_calibration import CALIBRATION
from ._metrics_counts import COUNTS
from ._metrics_moments import MOMENTS
from ._metrics_sums import SUMS
from ._numbers import at, compute_dtype, mp, number, smallest_normal, unit_roundoff

METRICS: Mapping[str, Callable[[Elements], tuple[Any, Any]]] = {
    **SUMS,
    **MOMENTS,
    **COUNTS,
    **BINNED,
    **CALIBRATION,
}


def _element(x: Any) -> Any:
    return [number(v) for v in x] if isinstance(x, np.ndarray) and x.ndim else number(x)


def elements_of(
    options: Mapping[str, Any],
    exact: Mapping[str, np.ndarray],
    dtype: str,
    accumulator: str,
    class_axis: int | None,
) -> Elements:
    """What a metric of `agnostic_mask.metrics` is computed of.

    Parameters
    ----------
    options : mapping
        The metric's options.
    exact : mapping of str to numpy.ndarray
        y_true and y_pred, or x; weights and mask if there are any, exactly as the result's
        framework had them. Excluded elements are never looked at.
    dtype : str
        Name of the float type of the computation.
    accumulator : str
        Dtype in which sums accumulate.
    class_axis : int or None
        Axis of y_pred (and of a dense y_true) along which a row runs.

    Returns
    -------
    Elements
    """
    arrays = [exact[n] for n in ("y_true", "y_pred", "x") if n in exact]
    shape = arrays[0].shape
    if class_axis is not None:
        rank = arrays[-1].ndim
        arrays = [np.moveaxis(x, class_axis, -1) if x.ndim == rank else x for x in arrays]
        shape = arrays[-1].shape[:-1]
    weights, mask, ignored = exact.get("weights"), exact.get("mask"), options.get("ignore_class")
    elements: list[list[Any]] = [[] for _ in arrays]
    factors = []
    for index in np.ndindex(shape):
        w = 1 if weights is None else at(weights, index)
        included = w != 0 and (mask is None or at(mask, index) != 0)
        if not included or (ignored is not None and arrays[0][index] == ignored):
            continue
        factors.append(number(w))
        for found, x in zip(elements, arrays, strict=True):
            found.append(_element(x[index]))
    return Elements(
        true=elements[0],
        pred=elements[-1],
        weights=factors,
        options=options,
        u=mp.mpf(unit_roundoff(dtype)),
        acc=mp.mpf(unit_roundoff(accumulator)),
        tiny=smallest_normal(compute_dtype(dtype)),
        weighted=weights is not None,
    )


def metric_reference(
    name: str,
    options: Mapping[str, Any],
    exact: Mapping[str, np.ndarray],
    dtype: str,
    accumulator: str,
    class_axis: int | None,
) -> Reference:
    """Value of a metric of `agnostic_mask.metrics` in higher precision, and its bound.

    Parameters
    ----------
    name : str
        Name of the class.
    options, exact, dtype, accumulator, class_axis
        As of `elements_of`.

    Returns
    -------
    Reference
    """
    value, bound = METRICS[name](elements_of(options, exact, dtype, accumulator, class_axis))
    values = np.asarray(value, dtype=object)
    return Reference(values, np.broadcast_to(np.asarray(bound, dtype=float), values.shape))
