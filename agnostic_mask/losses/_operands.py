"""What every loss does first: find the framework, check shapes, bring both to one float type."""

from agnostic_mask._array import Array
from agnostic_mask._cover import known_shape, position
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, float_name, is_integer
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError


def paired(y_true: Array, y_pred: Array) -> tuple[Dispatch, Array, Array]:
    """Operands of equal shape, in the float type that they decide on."""
    d = _resolved(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ShapeMismatchError(
            f"y_true has shape {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}; expected "
            f"equal shapes. Nothing is broadcast: reshape one to the other"
        )
    dtype = getattr(d.xp, float_name(d.xp, d.device, y_true, y_pred))
    return d, cast(d.xp, y_true, dtype), cast(d.xp, y_pred, dtype)


def labelled(y_true: Array, y_pred: Array, axis: int) -> tuple[Dispatch, Array, Array, int]:
    """Integer labels and the values of each class along `axis`, which is made positive."""
    d = _resolved(y_true, y_pred)
    xp = d.xp
    if not is_integer(xp, y_true):
        raise UnsupportedArrayError(
            f"y_true has dtype {y_true.dtype}; expected integer labels. Convert them with "
            f"xp.astype(y_true, xp.int64), or take categorical_crossentropy for a value a class"
        )
    axis = position(axis, len(y_pred.shape), "y_pred")
    shape = tuple(y_pred.shape)
    rows = shape[:axis] + shape[axis + 1 :]
    if tuple(y_true.shape) != rows:
        raise ShapeMismatchError(
            f"y_true has shape {tuple(y_true.shape)} and y_pred {shape}; expected y_true of shape "
            f"{rows}, that of y_pred without its class axis {axis}"
        )
    return d, y_true, floating(d, y_pred), axis


def floating(d: Dispatch, y_pred: Array) -> Array:
    """`y_pred` in its float type: at least float32, the default if it has none."""
    return cast(d.xp, y_pred, getattr(d.xp, float_name(d.xp, d.device, y_pred)))


def smoothed(y_true: Array, label_smoothing: float, classes: int) -> Array:
    """Targets moved towards 1 / classes by the share `label_smoothing`."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is {label_smoothing!r}; expected a number from 0 to 1")
    if label_smoothing == 0:
        return y_true
    return y_true * (1 - label_smoothing) + label_smoothing / classes


def _resolved(y_true: Array, y_pred: Array) -> Dispatch:
    named = (("y_true", y_true), ("y_pred", y_pred))
    for name, x in named:
        if x is None:
            raise UnsupportedArrayError(f"{name} is None; expected an array")
    d = resolve(named)
    for name, x in named:
        known_shape(name, x)
    return d
