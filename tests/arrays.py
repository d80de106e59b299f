"""Arrays of every backend for the tests, what they hold afterwards, and how exact that must be."""

from contextlib import nullcontext

import dask.array
import numpy as np
import pytest

import agnostic_mask as am

BACKENDS = ("numpy", "torch", "jax", "dask", "array_api_strict")
GRADIENTS = ("torch", "jax")
_NARROW = {"float64": "float32", "int64": "int32"}  # what JAX has unless it is asked for more

backends = pytest.mark.parametrize("backend", BACKENDS)
gradients = pytest.mark.parametrize("backend", GRADIENTS)


def knowledge(backend):
    """The package's own backend of this name, which must be usable."""
    probe = am.available_backends()[backend]
    assert probe.usable, probe.reason
    return probe.backend


def make(backend, x, dtype=None):
    """Array of `backend`; without a dtype 64-bit numbers become 32-bit ones.

    Dask arrays come in chunks of two elements along each axis, long ones in three.
    """
    if dtype is None:
        dtype = _NARROW.get(np.asarray(x).dtype.name)
    x = np.asarray(x, dtype)
    if backend == "dask":
        return dask.array.from_array(x, chunks=tuple(max(2, n // 3) for n in x.shape))
    known = knowledge(backend)
    if x.dtype.name == "bfloat16" and backend == "torch":
        return known.namespace().asarray(x.astype(np.float32)).bfloat16()
    return known.from_host(x, None if backend == "jax" else known.devices()[0])


def host(x):
    """What `x` holds, as a NumPy array."""
    return np.array(am.dispatch(x).backend.host(x))


def dtype_of(x):
    """Name of the dtype of `x`."""
    return str(x.dtype).rpartition(".")[2]


def wide(backend, dtype="float64"):
    """Context in which `backend` keeps `dtype`: JAX has 64-bit types on request."""
    return knowledge(backend).wide() if dtype.endswith("64") else nullcontext()


def close(actual, expected, terms, *, dtype="float32", roundings=6):
    """Assert that a sum or a ratio of sums is as exact as its terms.

    `terms` is the sum of the absolute values of the terms, on the scale of the result. A term
    carries at most `roundings` roundings to `dtype` (of the score's operations, its weight, the
    result); sums are accumulated in float64 and add next to nothing.
    """
    if not isinstance(actual, np.ndarray):
        actual = host(actual)
    expected = np.asarray(expected, dtype=np.float64)
    assert actual.shape == expected.shape
    bound = roundings * float(np.finfo(dtype).eps) * np.asarray(terms, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # Inf - Inf, which the second test compares
        near = np.abs(actual.astype(np.float64) - expected) <= bound
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    assert np.all(near | same), f"{actual} is not {expected} within {bound}"


def leading(x, shape):
    """`x` spread over an array of this shape, whose leading axes it covers."""
    x = np.asarray(x)
    return np.broadcast_to(x.reshape(x.shape + (1,) * (len(shape) - x.ndim)), shape)
