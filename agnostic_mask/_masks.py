"""The usual mask and the usual weights."""

import math
import operator

from agnostic_mask import _cover, _labels
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, float_name, is_integer
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError


def sequence_mask(lengths: Array, maxlen: int) -> Array:
    """Mask of sequences that are padded at their ends to `maxlen`.

    Parameters
    ----------
    lengths : array of int, shape S
        Length of each sequence; one above `maxlen` counts as `maxlen`.
    maxlen : int
        Length of the time axis, at least 0. It is not read from `lengths`, which may be lazy,
        traced or on a device.

    Returns
    -------
    array of bool, shape S + (maxlen,)
        True before the end of each sequence.

    Raises
    ------
    UnsupportedArrayError
        If `lengths` does not hold integers.
    ValueError
        If `maxlen` is not an integer of at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.sequence_mask(np.asarray([1, 3]), 3)
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    d = _of_integers("lengths", lengths, resolve((("lengths", lengths),)))
    try:
        steps = -1 if isinstance(maxlen, bool) else operator.index(maxlen)
    except TypeError:
        steps = -1
    if steps < 0:
        raise ValueError(f"maxlen is {maxlen!r}; expected an integer of at least 0")
    ends = d.xp.expand_dims(_labels.clipped(d, lengths, steps), axis=-1)
    return d.xp.arange(steps, device=d.device) < ends


def class_weights(y_true: Array, table: Array) -> Array:
    """Weight of each label: ``table[y_true]``.

    Parameters
    ----------
    y_true : array of int, shape S
        Labels, from 0 to C - 1.
    table : array of real, shape (C,)
        Weight of each class; C is at least 1.

    Returns
    -------
    array, shape S
        Float type of `table`. The weight of a label out of range is NaN, which shows unless
        a mask excludes it: never another class's.

    Raises
    ------
    UnsupportedArrayError
        If `y_true` does not hold integers.
    ShapeMismatchError
        If `table` is not of one dimension, or empty.
    MixedFrameworksError, MixedDevicesError

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.class_weights(np.asarray([0, 2, 0, -100]), np.asarray([1.0, 2.0, 5.0]))
    array([ 1.,  5.,  1., nan])
    """
    d = _of_integers("y_true", y_true, resolve((("y_true", y_true), ("table", table))))
    xp = d.xp
    shape = _cover.known_shape("table", table)
    if len(shape) != 1 or shape[0] == 0:
        raise ShapeMismatchError(
            f"table has shape {shape}; expected one dimension, a weight for each class"
        )
    valid, labels = _labels.below(d, y_true, shape[0])
    table = cast(xp, table, getattr(xp, float_name(xp, d.device, table)))
    if 0 in y_true.shape:  # which Dask cannot reshape
        return xp.zeros(tuple(y_true.shape), dtype=table.dtype, device=d.device)
    flat = xp.reshape(labels, (-1,))
    weights = xp.reshape(xp.take(table, flat, axis=0), tuple(y_true.shape))
    return d.backend.as_array(xp.where(valid, weights, math.nan))


def _of_integers(name: str, x: Array, d: Dispatch) -> Dispatch:
    if not is_integer(d.xp, x):
        raise UnsupportedArrayError(
            f"{name} has dtype {x.dtype}; expected integers, xp.astype({name}, xp.int64) makes them"
        )
    _cover.known_shape(name, x)
    return d
