"""Losses of distributions over classes, one a row."""

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch
from agnostic_mask.losses._numeric import class_sum, log, log_normaliser, power, ruled_out, share_of
from agnostic_mask.losses._operands import not_negative, share, smoothed, with_classes


@scores(class_axis="axis", dense=True, harmless=(0.5, 0.5))
def categorical_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Cross-entropy of distributions over classes, ``-sum(y log(p))`` over `axis`.

    Parameters
    ----------
    y_true : array, shape S
        Probability of each class along `axis`, such as one-hot labels.
    y_pred : array, shape S
        Predicted probability of each class, divided by its sum over `axis`; or logits if
        `from_logits`.
    from_logits : bool
        Whether `y_pred` holds logits, whose softmax over `axis` is the probability.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1 / (number of classes).
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or there are no classes.
    AxisError
        If `axis` is out of range.
    ValueError
        If `label_smoothing` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number; so does
    each of a row whose sum is below it, of zeros say. Keras's function of this name clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])
    >>> am.losses.categorical_crossentropy(y_true, y_pred).round(4)
    array([0.6931])
    """
    d, y_true, y_pred, axis = with_classes("categorical_crossentropy", y_true, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[axis])
    logs = _logs(d, y_true, y_pred, axis, from_logits)
    return 0 - d.xp.squeeze(class_sum(d, y_true * logs, axis), axis=axis)


@scores(class_axis="axis", dense=True, harmless=(0.5, 0.5))
def categorical_focal_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Cross-entropy that what is right already adds less to, ``-alpha sum((1-p)**gamma y log(p))``.

    Over `axis` (Lin et al., 2017).

    Parameters
    ----------
    y_true : array, shape S
        Probability of each class along `axis`, such as one-hot labels.
    y_pred : array, shape S
        Predicted probability of each class, divided by its sum over `axis`; or logits if
        `from_logits`.
    alpha : float
        Factor, 0 to 1, of every class. For one a class give the objective weights:
        `agnostic_mask.class_weights`.
    gamma : float
        At least 0, where 0 leaves the cross-entropy times alpha.
    from_logits : bool
        Whether `y_pred` holds logits, whose softmax over `axis` is the probability.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1 / (number of classes).
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or there are no classes.
    AxisError
        If `axis` is out of range.
    ValueError
        If `alpha`, `gamma` or `label_smoothing` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number; so does
    each of a row whose sum is below it, of zeros say. Keras's function of this name clips at 1e-7,
    logits too, of which it takes the softmax first.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])
    >>> am.losses.categorical_focal_crossentropy(y_true, y_pred).round(4)
    array([0.0433])
    """
    share("alpha", alpha)
    not_negative("gamma", gamma)
    d, y_true, y_pred, axis = with_classes("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[axis])
    logs = _logs(d, y_true, y_pred, axis, from_logits)
    # The complement by way of the logarithm, which is exact where p is near 1.
    parts = power(d, -d.xp.expm1(logs), gamma) * y_true * logs
    return 0 - alpha * d.xp.squeeze(class_sum(d, parts, axis), axis=axis)


def _logs(d: Dispatch, y_true: Array, y_pred: Array, axis: int, from_logits: bool) -> Array:
    """Logarithm of the probability of each class, 0 where that is not looked at."""
    if not from_logits:
        return log(d, share_of(d.xp, y_pred, class_sum(d, y_pred, axis)))
    top, log_sum = log_normaliser(d, y_pred, axis)
    return ruled_out(d.xp, y_true, (y_pred - top) - log_sum)
