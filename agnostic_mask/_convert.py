"""Move an array to another framework or device."""

import array_api_compat

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._errors import CopyRequiredError, UnsupportedArrayError

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
        If one of them is not an array that can be computed with, or the target has no such dtype
        or the source no elements to give (a traced array, torch's meta device).

    Notes
    -----
    Within a framework gradients pass through; across frameworks they end.

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
    if source.xp is target.xp:
        if source.device == target.device:
            return source.backend.copy(x) if copy else x
        if copy is False:
            raise CopyRequiredError(_cannot_share(source, target, "another device"))
        return array_api_compat.to_device(x, target.device)
    reason = "a copy was asked for" if copy else "its layout does not allow it"
    if not copy and source.backend.exports(x):
        try:
            return target.backend.from_dlpack(x, target.device)
        except _REFUSALS as error:
            reason = str(error)
    try:
        copied = target.backend.from_host(source.backend.host(x), target.device)
    except _REFUSALS as error:
        raise UnsupportedArrayError(
            f"x is a {source.backend.name} array of dtype {x.dtype} on {source.device}, which "
            f"cannot be brought to {target.backend.name} on {target.device}: {error}"
        ) from error
    if copy is False:
        raise CopyRequiredError(_cannot_share(source, target, reason))
    return copied


def _cannot_share(source: Dispatch, target: Dispatch, reason: str) -> str:
    return (
        f"x is a {source.backend.name} array on {source.device} and like a "
        f"{target.backend.name} array on {target.device}; these cannot share memory "
        f"({reason}). Leave copy out, or set it to True"
    )
