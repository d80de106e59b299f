"""What every loss does first: find the framework, check shapes and options, cast to one type."""

import math
from collections.abc import Callable

from agnostic_mask import _classes
from agnostic_mask._array import Array
from agnostic_mask._cover import position
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import cast, dtype_kind, float_name, is_integer
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError


def paired(y_true: Array, y_pred: Array) -> tuple[Dispatch, Array, Array]:
    """Operands of equal shape, in the float type that they decide on."""
    d = _resolved(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ShapeMismatchError(
            f"y_true has shape {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}; expected "
            f"equal shapes. Nothing is broadcast: reshape one to the other"
        )
    return _floats(d, y_true, y_pred)


def with_classes(
    name: str, y_true: Array, y_pred: Array, axis: int
) -> tuple[Dispatch, Array, Array, int]:
    """Operands with a value for each class along `axis`, which is made positive."""
    d, axis = _class_axis(name, y_true, y_pred, axis, dense=True)
    return *_floats(d, y_true, y_pred), axis


def beside_classes(
    name: str, y_true: Array, y_pred: Array, axis: int
) -> tuple[Dispatch, Array, Array, int]:
    """Real targets, with a dimension of 1 where y_pred has `axis`, which is made positive."""
    d, axis = _class_axis(name, y_true, y_pred, axis, dense=False)
    d, y_true, y_pred = _floats(d, y_true, y_pred)
    return d, d.xp.expand_dims(y_true, axis=axis), y_pred, axis


def labelled(
    name: str, y_true: Array, y_pred: Array, axis: int
) -> tuple[Dispatch, Array, Array, int]:
    """Integer labels and the values of each class along `axis`, which is made positive."""
    d = _resolved(y_true, y_pred)
    if not is_integer(d.xp, y_true):
        raise UnsupportedArrayError(
            f"y_true has dtype {y_true.dtype}; {name} expects integer labels. Convert them with "
            f"xp.astype(y_true, xp.int64), or take categorical_crossentropy or one of its like "
            f"for a value a class"
        )
    d, axis = _class_axis(name, y_true, y_pred, axis, dense=False)
    return d, y_true, floating(d, y_pred), axis


def floating(d: Dispatch, y_pred: Array) -> Array:
    """`y_pred` in its float type: at least float32, the default if it has none."""
    return cast(d.xp, y_pred, getattr(d.xp, float_name(d.xp, d.device, y_pred)))


def smoothed(y_true: Array, label_smoothing: float, classes: int) -> Array:
    """Targets moved towards 1 / classes by the share `label_smoothing`."""
    share("label_smoothing", label_smoothing)
    if label_smoothing == 0:
        return y_true
    return y_true * (1 - label_smoothing) + label_smoothing / classes


def option(name: str, value: float, fits: Callable[[float], bool], expected: str) -> None:
    """Raise ValueError unless an option fits, TypeError if it is not one number."""
    message = f"{name} is {value!r}; expected {expected}"
    try:
        good = bool(fits(value))
    except (TypeError, ValueError, RuntimeError):  # the latter two of arrays of several numbers
        raise TypeError(message) from None
    if not good:
        raise ValueError(message)


def share(name: str, value: float) -> None:
    """Raise an error unless an option is from 0 to 1."""
    option(name, value, lambda x: 0 <= x <= 1, "a number from 0 to 1")


def positive(name: str, value: float) -> None:
    """Raise an error unless an option is above 0."""
    option(name, value, lambda x: x > 0, "a number above 0")


def not_negative(name: str, value: float) -> None:
    """Raise an error unless an option is at least 0 and finite."""
    option(name, value, lambda x: 0 <= x < math.inf, "a finite number of at least 0")


def tweedie_power(power: float) -> None:
    """Raise an error unless there is a Tweedie distribution of this power."""
    option(
        "power",
        power,
        lambda x: -math.inf < x <= 0 or 1 <= x < math.inf,
        "a finite number of at most 0 or at least 1, as there is no Tweedie distribution between",
    )


def _class_axis(
    name: str, y_true: Array, y_pred: Array, axis: int, *, dense: bool
) -> tuple[Dispatch, int]:
    d = _resolved(y_true, y_pred)
    shape = tuple(y_pred.shape)
    axis = position(axis, len(shape), "y_pred")
    _classes.rows_of(name, tuple(y_true.shape), shape, axis, dense)
    if shape[axis] == 0:
        raise ShapeMismatchError(
            f"y_pred has shape {shape}, with no classes along axis {axis}; expected at least one"
        )
    return d, axis


def _floats(d: Dispatch, y_true: Array, y_pred: Array) -> tuple[Dispatch, Array, Array]:
    kind = dtype_kind(d.xp, y_pred.dtype)
    if y_true.dtype == y_pred.dtype and kind in ("float32", "float64"):
        return d, y_true, y_pred
    dtype = getattr(d.xp, float_name(d.xp, d.device, y_true, y_pred))
    return d, cast(d.xp, y_true, dtype), cast(d.xp, y_pred, dtype)


def _resolved(y_true: Array, y_pred: Array) -> Dispatch:
    return resolve_known((("y_true", y_true), ("y_pred", y_pred)), required=2)
