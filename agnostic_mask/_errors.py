"""Exceptions: one class for each kind of bad input, all under `AgnosticMaskError`.

Each also is the built-in that Python users expect (`TypeError`, `ValueError`,
`IndexError`), so that code which knows nothing of this package can still catch it.
"""


class AgnosticMaskError(Exception):
    """Base of every exception that this package raises on purpose."""


class UnsupportedArrayError(AgnosticMaskError, TypeError):
    """An argument is not an array that this package can compute with.

    Lists, `numpy.ma`, `numpy.matrix`, object, string, datetime and complex arrays, sparse
    and nested tensors, a float array as `mask`.
    """


class MixedFrameworksError(AgnosticMaskError, TypeError):
    """The arrays of one call come from different frameworks."""


class MixedDevicesError(AgnosticMaskError, ValueError):
    """The arrays of one call lie on different devices."""


class ShapeMismatchError(AgnosticMaskError, ValueError):
    """Shapes do not fit each other, or a mask or weights do not cover leading axes."""


class AxisError(AgnosticMaskError, ValueError, IndexError):
    """`axis` is out of range, repeated, or not made of integers."""


class CopyRequiredError(AgnosticMaskError, ValueError):
    """`copy=False` was asked for, and the conversion cannot be done without a copy."""


class StateMismatchError(AgnosticMaskError, ValueError):
    """Two states that do not count the same things were merged."""


class StateFileError(AgnosticMaskError, ValueError):
    """A file of states is damaged, is none at all, or was written by a newer version."""
