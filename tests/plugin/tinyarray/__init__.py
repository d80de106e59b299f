"""An array library of its own: the part of the array API standard that masked sums need.

Its arrays wrap NumPy's and are none: NumPy cannot read them, and they do not mix with anything
but their like and Python's numbers.
"""

import operator
import sys

import numpy as np

__version__ = "1.2.3"


class Array:
    """An array of this library."""

    __array_ufunc__ = None  # NumPy must not take part in the operators

    def __init__(self, data):
        self._data = data

    dtype = property(lambda self: self._data.dtype)
    shape = property(lambda self: self._data.shape)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    device = property(lambda self: "abacus")

    def __array_namespace__(self, *, api_version=None):
        return sys.modules[__name__]

    def __array__(self, dtype=None, copy=None):
        raise TypeError("a tinyarray.Array is not a numpy.ndarray; take tinyarray.to_numpy(x)")

    def __float__(self):
        return float(self._data)

    def __bool__(self):
        raise TypeError("a tinyarray.Array has no truth value: it might not be computed yet")


def _unwrap(x):
    if isinstance(x, np.ndarray):
        raise TypeError("tinyarray computes with its own arrays alone; take tinyarray.asarray(x)")
    return x._data if isinstance(x, Array) else x


def _wrapped(fn):
    def call(*args, **kwargs):
        if kwargs.pop("device", "abacus") != "abacus":
            raise ValueError("tinyarray computes on the abacus alone")
        named = {name: _unwrap(x) for name, x in kwargs.items()}
        return Array(np.asarray(fn(*map(_unwrap, args), **named)))

    return call


def _define_operators():
    names = ["add", "sub", "mul", "truediv", "pow", "eq", "ne", "lt", "le", "gt", "ge", "and", "or"]
    for name in names:
        fn = getattr(operator, name + "_" if name in ("and", "or") else name)
        setattr(Array, f"__{name}__", _wrapped(fn))
        if name in ("add", "sub", "mul", "truediv", "pow", "and", "or"):
            setattr(Array, f"__r{name}__", _wrapped(lambda a, b, fn=fn: fn(b, a)))
    for name in ("neg", "invert", "abs"):
        setattr(Array, f"__{name}__", _wrapped(getattr(operator, name)))


_define_operators()

bool = np.dtype("bool")
uint8, int32, int64 = map(np.dtype, ("uint8", "int32", "int64"))
float32, float64 = map(np.dtype, ("float32", "float64"))
inf, nan = np.inf, np.nan
isdtype, finfo, iinfo = np.isdtype, np.finfo, np.iinfo

arange, full, zeros = map(_wrapped, (np.arange, np.full, np.zeros))
full_like, zeros_like = map(_wrapped, (np.full_like, np.zeros_like))
reshape, expand_dims, squeeze = map(_wrapped, (np.reshape, np.expand_dims, np.squeeze))
broadcast_to, where, take = map(_wrapped, (np.broadcast_to, np.where, np.take))
take_along_axis = _wrapped(np.take_along_axis)
abs, exp, log, log1p, sqrt = map(_wrapped, (np.abs, np.exp, np.log, np.log1p, np.sqrt))
maximum, minimum = map(_wrapped, (np.maximum, np.minimum))
isfinite, isnan = map(_wrapped, (np.isfinite, np.isnan))
sum, max, min, any, all = map(_wrapped, (np.sum, np.max, np.min, np.any, np.all))
astype = _wrapped(lambda x, dtype, copy=True: x.astype(dtype, copy=copy))


def asarray(x, *, dtype=None, device="abacus", copy=None):
    """An array of the elements of a NumPy array, of numbers, or of an array of this library."""
    return Array(np.array(x._data if isinstance(x, Array) else x, dtype=dtype, copy=copy))


def to_numpy(x):
    """A NumPy array with the elements of `x`."""
    return x._data.copy()


class _Info:
    def devices(self):
        return ["abacus"]

    def default_dtypes(self, *, device=None):
        return {"real floating": float64, "integral": int64}

    def dtypes(self, *, device=None, kind=None):
        return {"bool": bool, "int64": int64, "float32": float32, "float64": float64}


__array_namespace_info__ = _Info
