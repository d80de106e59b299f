"""Covariances and correlations of variables over observations."""

from typing import NamedTuple

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, is_floating, wide_float
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask._reductions._extremes import extreme
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._totals import Totals


def cov(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = 0,
    by: Array | None = None,
    num_groups: int | None = None,
    correction: float = 1.0,
) -> Array:
    """Covariance matrix of variables over included observations.

    ``sum(w (x_i - mean_i) (x_j - mean_j)) / (sum(w) - correction)``, computed about the means: a
    mean far from 0 costs no accuracy.

    Parameters
    ----------
    x : array, shape S
        Real. The axes that `axis` names hold observations; the last of the others holds the
        variables, those before it separate data sets.
    mask : array of bool or int, optional
        True or non-zero counts. One element for each observation: covers leading axes of S, with a
        dimension of 1, or none, for the axis of variables.
    weights : array of real, optional
        Likewise. They mean repetition: NumPy's `fweights`, which need not be integers here.
    axis : int or sequence of int
        Axes of observations; None for all, which leaves one variable. The default, 0, is for
        (observations, variables). `numpy.cov` and `torch.cov` take the transpose, (variables,
        observations): for that write ``axis=1``.
    by, num_groups
        As for `sum`, one label for each observation like `mask`.
    correction : float
        What is subtracted from the sum of the weights: 1 for Bessel's correction.

    Returns
    -------
    array, shape (..., V, V)
        Symmetric, for V variables; without an axis of variables their one variance. Float type of
        x (at least float32), else of the weights, else the default; accumulated in float64. NaN
        where the sum of the weights is not above `correction`. With `by` shape (G, ..., V, V).

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, AxisError
    ShapeMismatchError
        Also if `mask`, `weights` or `by` tells variables apart.
    ValueError
        As for `sum`.

    Notes
    -----
    For (observations, variables) this is ``numpy.cov(x, rowvar=False, fweights=weights)``; for
    NumPy's own layout, (variables, observations), write ``axis=1`` and give mask and weights
    the shape (1, observations).

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> x = np.asarray([[1.0, 2.0], [3.0, 6.0], [np.nan, 0.0]])
    >>> am.cov(x, mask=np.asarray([True, True, False]))
    array([[2., 4.],
           [4., 8.]])
    """
    p = plan(x, mask, weights, axis, False, by, num_groups)
    with p.d.backend.wide():
        spread = _spread(p)
        remaining = spread.weight - correction
        matrix = _staged.ratio(p.d.xp, spread.matrix, p.d.xp.where(remaining > 0, remaining, 0.0))
        return _finish(p, matrix)


def corrcoef(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = 0,
    by: Array | None = None,
    num_groups: int | None = None,
) -> Array:
    """Correlation matrix of variables over included observations: `cov` over standard deviations.

    Parameters
    ----------
    x, mask, weights, by, num_groups
        As for `cov`.
    axis : int or sequence of int
        Axes of observations, as for `cov`: 0 for (observations, variables), 1 for the layout of
        `numpy.corrcoef` and `torch.corrcoef`, (variables, observations).

    Returns
    -------
    array, shape (..., V, V)
        As for `cov`, from -1 to 1, on the diagonal exactly 1. NaN for a variable all of whose
        included observations are equal.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `cov`.

    Notes
    -----
    For (observations, variables) this is ``numpy.corrcoef(x, rowvar=False)``.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.corrcoef(np.asarray([[1.0, 2.0], [3.0, 6.0], [5.0, 4.0]]))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    p = plan(x, mask, weights, axis, False, by, num_groups)
    xp = p.d.xp
    with p.d.backend.wide():
        # Squares of what float32 or integers hold stay within float64.
        wide = wide_float(*p.d)
        rescale = is_floating(xp, p.x) and p.x.dtype == wide
        p = p._replace(x=p.floats())
        matrix = _spread(p, rescale).matrix
        n = matrix.shape[-1]
        diagonal = xp.eye(n, dtype=xp.bool, device=p.d.device)
        own = xp.sum(xp.where(diagonal, matrix, 0.0), axis=-1)
        # Rounding may leave equal observations a spread, so it is not asked.
        varies = (own > 0) & (_rows(p, extreme(p, "max") != extreme(p, "min"))[..., 0])
        scale = xp.sqrt(xp.where(varies, own, 1.0))
        ratio = xp.clip(matrix / scale[..., :, None] / scale[..., None, :], -1.0, 1.0)
        both = varies[..., :, None] & varies[..., None, :]
        return _finish(p, xp.where(both, xp.where(diagonal, 1.0, ratio), xp.nan))


class _Spread(NamedTuple):
    """Sums of products of residuals, shape (..., V, V), and of weights, shape (..., 1, 1).

    Those of groups have the groups' axis before these.
    """

    matrix: Array
    weight: Array


def _variables(p: Plan) -> int | None:
    """The axis of variables."""
    others = [i for i in range(len(p.shape)) if i not in p.axes]
    return others[-1] if others else None


def _check_observations(p: Plan, variables: int | None) -> None:
    by = None if p.totals.split is None else p.totals.split.by
    for name, cover in (("mask", p.mask), ("weights", p.weights), ("by", by)):
        if cover is None or variables is None or len(cover.shape) <= variables:
            continue
        if cover.shape[variables] != 1:
            raise ShapeMismatchError(
                f"{name} has shape {tuple(cover.shape)} and x shape {p.shape}, whose axis "
                f"{variables} holds variables; expected one element for each observation: a "
                f"dimension of 1, or none, for that axis"
            )


def _rows(p: Plan, x: Array) -> Array:
    """Variables in the axis before the last, observations in the last; earlier axes as they are."""
    rows = p.rows(x)
    return rows if _variables(p) is not None else p.d.xp.expand_dims(rows, axis=-2)


def _spread(p: Plan, rescale: bool = False) -> _Spread:
    xp, variables = p.d.xp, _variables(p)
    _check_observations(p, variables)
    joint = p.inclusion()
    wide = wide_float(xp, p.d.device, p.d.backend)
    x = cast(xp, _staged.zeroed(p.d, joint.include, p.terms(joint.include)), wide)
    one = tuple(1 if i == variables else n for i, n in enumerate(p.shape))
    weight = Totals(p.d, one, p.totals.split, p.axes).sum_of_factors(joint)
    centre = _staged.ratio(xp, p.totals.weighted_sum(x, joint), weight)
    residual = _staged.zeroed(p.d, joint.include, x - p.totals.of_each(centre))
    if rescale:
        residual = residual / _magnitude(p, residual)
    # What rounding the centre did, as for `var`.
    shift = _rows(p, p.totals.weighted_sum(residual, joint))
    weight = _rows(p, weight)
    product = _products(p, cast(xp, _staged.weighed(p.d, residual, joint), wide), residual)
    product = product - _staged.ratio(xp, p.d.backend.products(shift, shift), weight)
    # The weighted side rounds otherwise than the other.
    return _Spread((product + xp.matrix_transpose(product)) / 2, weight)


def _products(p: Plan, left: Array, right: Array) -> Array:
    """Sums of products of every two variables, shape (..., V, V)."""
    xp, variables = p.d.xp, _variables(p)
    if not p.totals.lead:
        return p.d.backend.products(_rows(p, left), _rows(p, right))
    # Labels tell rows of a matrix product apart, so each variable takes its turn.
    n = 1 if variables is None else p.shape[variables]
    columns = []
    for i in range(n):
        one = right
        if variables is not None:
            one = right[(*(slice(None),) * variables, slice(i, i + 1), ...)]
        columns.append(_rows(p, p.totals.plain_sum(left * one, left.dtype)))
    if not columns:
        shape = (*p.totals.lead, *_rows(p, left).shape[:-2], 0, 0)
        return xp.zeros(shape, dtype=left.dtype, device=p.d.device)
    return xp.concat(columns, axis=-1)


def _magnitude(p: Plan, residual: Array) -> Array:
    """A power of 2 near the greatest residual of each variable: division by it does not round."""
    xp = p.d.xp
    greatest = extreme(p._replace(x=xp.abs(residual)), "max")
    usual = (greatest >= float(xp.finfo(greatest.dtype).smallest_normal)) & (greatest < xp.inf)
    return p.totals.of_each(2.0 ** xp.floor(xp.log2(xp.where(usual, greatest, 1.0))))


def _finish(p: Plan, matrix: Array) -> Array:
    xp = p.d.xp
    matrix = cast(xp, matrix, p.dtype)
    if p.totals.lead:
        outside = _rows(p, p.totals.outside(p.inclusion().include))
        matrix = p.without_outside(matrix, outside)
    if _variables(p) is None:
        matrix = xp.squeeze(matrix, axis=(-2, -1))
    return p.d.backend.as_array(matrix)
