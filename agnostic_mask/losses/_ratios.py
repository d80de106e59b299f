"""Losses that are ratios of sums: how far two regions are from covering each other."""

from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import resolve
from agnostic_mask._staged import ratio
from agnostic_mask.losses._operands import not_negative, paired


def _missing(part: Array, whole: Array, smooth: float) -> Array:
    """``1 - part / whole``, both moved by `smooth`."""
    xp: Any = resolve((("the sum", part),)).xp
    return 1 - ratio(xp, part + smooth, whole + smooth)


def _dice(both: Array, sizes: Array, /, *, smooth: float) -> Array:
    return _missing(2 * both, sizes, smooth)


@scores(harmless=(0.0, 0.0), finish=_dice)
def dice(y_true: Array, y_pred: Array, /, *, smooth: float = 0.0) -> tuple[Array, Array]:
    """Dice loss, ``1 - (2 sum(y p) + smooth) / (sum(y) + sum(p) + smooth)``, a ratio of sums.

    Parameters
    ----------
    y_true : array, shape S
        Labels or shares y, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability p.
    smooth : float
        At least 0; what is added above and below the line.

    Returns
    -------
    tuple of two arrays, shape S
        ``y p`` and ``y + p``, elementwise: the parts of the ratio, not scores. Float32 or float64.
        An objective masks, weighs and reduces each, then takes the ratio: its value is 0-d.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `smooth` is negative or not finite.

    Notes
    -----
    From 0, equal regions, to 1, where nothing is in common (Milletari et al., 2016, without their
    squares). With ``smooth=0`` two empty regions have no ratio: NaN; otherwise 0. The ratio is of
    the whole batch, or data set, never a mean over samples. Reductions differ only in what `smooth`
    is added to: sums or means. "none" is refused.

    Keras 3's `Dice` with ``axis=None`` and the reduction "sum" is this with ``smooth=0``, but adds
    1e-7 below the line alone, so that of two empty regions it is 1; its weights multiply the ratio.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> objective = am.weighted_masked_objective(am.losses.dice, reduction="sum")
    >>> objective(np.asarray([1, 1, 0, 0]), np.asarray([1.0, 0.5, 0.5, 0.0]))
    array(0.25)
    """
    not_negative("smooth", smooth)
    _, y_true, y_pred = paired(y_true, y_pred)
    return y_true * y_pred, y_true + y_pred


def _jaccard(both: Array, sizes: Array, /, *, smooth: float) -> Array:
    return _missing(both, sizes - both, smooth)


@scores(harmless=(0.0, 0.0), finish=_jaccard)
def jaccard(y_true: Array, y_pred: Array, /, *, smooth: float = 0.0) -> tuple[Array, Array]:
    """Jaccard loss, ``1 - (I + smooth) / (sum(y) + sum(p) - I + smooth)`` with ``I = sum(y p)``.

    Intersection over union, taken from 1.

    Parameters
    ----------
    y_true : array, shape S
        Labels or shares y, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability p.
    smooth : float
        At least 0; what is added above and below the line.

    Returns
    -------
    tuple of two arrays, shape S
        ``y p`` and ``y + p``, elementwise: the parts of the ratio; see `dice`.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `smooth` is negative or not finite.

    Notes
    -----
    From 0 to 1; with ``smooth=0`` it is ``2 d / (1 + d)`` of the Dice loss d, and NaN where both
    regions are empty. What `dice` says of reductions holds here. Of 0 and 1 it is scikit-learn's
    `jaccard_score` taken from 1. Keras has no such loss.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> objective = am.weighted_masked_objective(am.losses.jaccard, reduction="sum")
    >>> objective(np.asarray([1, 1, 0, 0]), np.asarray([1.0, 0.0, 1.0, 0.0])).round(4)
    np.float64(0.6667)
    """
    not_negative("smooth", smooth)
    _, y_true, y_pred = paired(y_true, y_pred)
    return y_true * y_pred, y_true + y_pred


def _tversky(
    both: Array, only_pred: Array, only_true: Array, /, *, alpha: float, beta: float, smooth: float
) -> Array:
    return _missing(both, both + alpha * only_pred + beta * only_true, smooth)


@scores(harmless=(0.0, 0.0), finish=_tversky)
def tversky(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Tversky loss, ``1 - (I + smooth) / (I + alpha A + beta B + smooth)``, a ratio of sums.

    With ``I = sum(y p)``, ``A = sum((1 - y) p)``, the false positives, and ``B = sum(y (1 - p))``,
    the false negatives.

    Parameters
    ----------
    y_true : array, shape S
        Labels or shares y, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability p.
    alpha, beta : float
        What false positives and false negatives count, at least 0.
    smooth : float
        At least 0; what is added above and below the line.

    Returns
    -------
    tuple of three arrays, shape S
        ``y p``, ``(1 - y) p`` and ``y (1 - p)``, elementwise: the parts of the ratio; see `dice`.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `alpha`, `beta` or `smooth` is negative or not finite.

    Notes
    -----
    Salehi et al., 2017. With alpha and beta of 1/2 it is `dice` (`smooth` halved), with both of 1
    `jaccard`. What `dice` says of reductions holds here.

    Keras 3's `Tversky` describes alpha and beta like this and computes them the other way round:
    there alpha weighs false negatives. With the two exchanged and ``smooth=0`` it is this, but for
    the 1e-7 that it adds below the line alone.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> objective = am.weighted_masked_objective(am.losses.tversky, reduction="sum")
    >>> objective(np.asarray([1, 1, 0, 0]), np.asarray([1.0, 0.5, 0.5, 0.0]))
    array(0.25)
    """
    for name, value in (("alpha", alpha), ("beta", beta), ("smooth", smooth)):
        not_negative(name, value)
    _, y_true, y_pred = paired(y_true, y_pred)
    return y_true * y_pred, (1 - y_true) * y_pred, y_true * (1 - y_pred)
