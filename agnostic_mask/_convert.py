"""Move an array to another framework or device."""

from agnostic_mask._array import Array
from agnostic_mask._dispatch import resolve
from agnostic_mask._errors import CopyRequiredError

_REFUSALS = (BufferError, RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError)


def convert(x: Array, /, like: Array, *, copy: bool | None = None) -> Array:
    """Bring an array to the framework and device of another.

    Parameters
    ----------
    x : array
        What is converted. A lazy array is computed, unless `like` is of its framework.
    like : array
        An array of the framework and device wanted.
    copy : bool, optional
        True: the result never shares memory with `x`. False: it always does, or an exception
        says that it cannot. None: it does where possible, by DLPack.

    Returns
    -------
    array
        The elements of `x`, shape and dtype kept, in the framework and on the device of `like`.

    Raises
    ------
    CopyRequiredError
        If `copy` is False and a copy would be made.
    UnsupportedArrayError
        If one of them is not an array that can be computed with.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> x = np.ones(3)
    >>> am.convert(x, like=np.zeros(1), copy=False) is x
    True
    """
    source = resolve((("x", x),))
    target = resolve((("like", like),))
    at_home = source.xp is target.xp and source.device == target.device
    if at_home and not copy:
        return x
    try:
        if not hasattr(x, "__dlpack__"):
            raise BufferError(f"{source.backend.name} arrays do not export memory by DLPack")
        return target.backend.from_dlpack(x, target.device, copy)
    except _REFUSALS as error:
        if copy is False:
            raise CopyRequiredError(
                f"x is a {source.backend.name} array on {source.device} and like a "
                f"{target.backend.name} array on {target.device}; these cannot share memory "
                f"({error}). Leave copy out, or set it to True"
            ) from error
    return target.backend.from_host(source.backend.host(x), target.device)
