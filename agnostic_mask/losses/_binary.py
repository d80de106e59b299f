"""Losses of two classes: the probability or the logit of one of them, elementwise."""

import math
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch
from agnostic_mask.losses._numeric import log, log_complement, power
from agnostic_mask.losses._operands import not_negative, option, paired, share, smoothed


@scores(harmless=(0.5, 0.5))
def binary_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    pos_weight: float = 1.0,
) -> Array:
    """Binary cross-entropy, ``-w y log(p) - (1 - y) log(1 - p)``, elementwise.

    Parameters
    ----------
    y_true : array, shape S
        Probability of the positive class, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability, or logit if `from_logits`.
    from_logits : bool
        Whether `y_pred` holds logits x, with ``p = 1 / (1 + exp(-x))``.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1/2.
    pos_weight : float
        Factor w of the positive class, at least 0.

    Returns
    -------
    array, shape S
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `label_smoothing` or `pos_weight` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number, so a
    score is at most 87.4 in float32 and 708.4 in float64 and a term with factor 0 is 0. Keras's
    function of this name clips at 1e-7 and averages over the last axis. `pos_weight` is that of
    torch's `binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.binary_crossentropy(np.asarray([1, 0]), np.asarray([1.0, 0.5])).round(4)
    array([0.    , 0.6931])
    """
    option(
        "pos_weight",
        pos_weight,
        lambda x: 0 <= x < math.inf,
        "one finite number of at least 0; factors of elements are weights",
    )
    d, y_true, y_pred = paired(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    return _crossentropy(d, y_true, y_pred, from_logits, pos_weight)


@scores(harmless=(0.5, 0.5))
def binary_focal_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Binary cross-entropy times ``(1 - q)**gamma``, with q the probability of what is true.

    With ``q = y p + (1 - y) (1 - p)``, elementwise; what is right already counts less (Lin et
    al., 2017).

    Parameters
    ----------
    y_true : array, shape S
        Probability of the positive class, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability p, or logit if `from_logits`.
    apply_class_balancing : bool
        Whether to multiply by ``y alpha + (1 - y) (1 - alpha)`` as well.
    alpha : float
        Factor of the positive class, 0 to 1; without `apply_class_balancing` it is not used.
    gamma : float
        At least 0, where 0 leaves the cross-entropy.
    from_logits : bool
        Whether `y_pred` holds logits x, with ``p = 1 / (1 + exp(-x))``.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1/2.

    Returns
    -------
    array, shape S
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `alpha`, `gamma` or `label_smoothing` is out of range.

    Notes
    -----
    The range is that of `binary_crossentropy`. Keras's function of this name averages over the
    last axis and clips at 1e-7, logits too, of which it takes the sigmoid first.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0]), np.asarray([1.0, 0.5])
    >>> am.losses.binary_focal_crossentropy(y_true, y_pred).round(4)
    array([0.    , 0.1733])
    """
    share("alpha", alpha)
    not_negative("gamma", gamma)
    d, y_true, y_pred = paired(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    entropy = _crossentropy(d, y_true, y_pred, from_logits)
    result = power(d, _miss(d.xp, y_true, y_pred, from_logits), gamma) * entropy
    if apply_class_balancing:
        result = (y_true * alpha + (1 - y_true) * (1 - alpha)) * result
    return result


def _crossentropy(
    d: Dispatch, y_true: Array, y_pred: Array, from_logits: bool, pos_weight: float = 1.0
) -> Array:
    positive = y_true if pos_weight == 1 else pos_weight * y_true
    if not from_logits:
        logs = (1 - y_true) * log_complement(d, y_pred) + positive * log(d, y_pred)
        return 0 - logs  # and never -0
    xp = d.xp
    size = xp.abs(y_pred)
    against = _against(xp, 1 - y_true, positive, y_pred)
    # Certain and right costs nothing, however certain: 0 times Inf is not meant.
    distance = xp.where((against == 0) & (size == xp.inf), 0.0, size)
    doubt = xp.log1p(xp.exp(-size))
    if pos_weight != 1:
        doubt = (positive + (1 - y_true)) * doubt
    return against * distance + doubt


def _miss(xp: Any, y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    """Probability that is not on what is true."""
    if not from_logits:
        return y_true * (1 - y_pred) + (1 - y_true) * y_pred
    # Of the two classes' probabilities the lesser, which is near 0, comes without cancelling.
    small = xp.exp(-xp.abs(y_pred))
    against = _against(xp, 1 - y_true, y_true, y_pred)
    return (against + (1 - against) * small) / (1 + small)


def _against(xp: Any, negative: Array, positive: Array, logit: Array) -> Array:
    """`negative` where the logit is above 0, else `positive`."""
    # A product, for a selection without a pattern costs NumPy ten times as much.
    above = xp.astype(logit > 0, logit.dtype)
    return above * negative + (1 - above) * positive
