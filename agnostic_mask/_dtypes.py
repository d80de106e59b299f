"""Which dtype a computation runs in: one rule, the same for every framework.

Floating inputs decide, integers and booleans follow, half types compute in float32, sums
accumulate in float64. `result_type` is never asked: frameworks disagree on it.
"""

from typing import Any, Literal

from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._traced import constant_in_traces

DtypeKind = Literal["bool", "signed", "unsigned", "half", "float32", "float64"]

_INTEGERS = ("signed", "unsigned")
_FLOATS = ("half", "float32", "float64")
_HALF_NAMES = ("bfloat16", "float8_", "float6_", "float4_")
_kinds: dict[tuple[str, Any], DtypeKind | None] = {}


def _classify(xp: Any, dtype: Any) -> DtypeKind | None:
    # NumPy does not know the types of ml_dtypes for floating ones, but casts them.
    if str(dtype).startswith(_HALF_NAMES):
        return "half"
    try:
        return _standard_kind(xp, dtype)
    except TypeError:  # how NumPy and JAX say that they have no kind for a dtype
        return None


def _standard_kind(xp: Any, dtype: Any) -> DtypeKind | None:
    if xp.isdtype(dtype, "bool"):
        return "bool"
    if xp.isdtype(dtype, "signed integer"):
        return "signed"
    if xp.isdtype(dtype, "unsigned integer"):
        return "unsigned"
    if xp.isdtype(dtype, "real floating"):
        bits = xp.finfo(dtype).bits
        if bits < 32:
            return "half"
        return "float32" if bits == 32 else "float64" if bits == 64 else None
    return None


@constant_in_traces
def dtype_kind(xp: Any, dtype: Any) -> DtypeKind | None:
    """Kind of a dtype, or None for one that cannot be computed with."""
    key = (xp.__name__, dtype)  # dtypes of two frameworks must not be compared
    if key not in _kinds:
        _kinds[key] = _classify(xp, dtype)
    return _kinds[key]


def checked_kind(xp: Any, name: str, x: Array) -> DtypeKind:
    """Kind of the dtype of `x`, which the caller passed as argument `name`.

    Raises
    ------
    UnsupportedArrayError
        For complex, object, string, datetime, structured and extended-precision dtypes.
    """
    kind = dtype_kind(xp, x.dtype)
    if kind is None:
        mend = f"Convert it first: xp.astype({name}, xp.float64)"
        if "complex" in str(x.dtype):
            mend += "; of complex numbers take xp.real or xp.abs"
        if getattr(x.dtype, "kind", "") in ("U", "S", "T", "O"):
            mend = (
                f"Number what it names: numpy.unique({name}, return_inverse=True)[1] (of all "
                f"batches together), or convert it: {name}.astype(float)"
            )
        raise UnsupportedArrayError(
            f"{name} has dtype {x.dtype}; expected booleans, integers or floating point "
            f"numbers of at most 64 bits. {mend}"
        )
    return kind


def is_floating(xp: Any, x: Array) -> bool:
    """Whether `x` holds floating point numbers."""
    return dtype_kind(xp, x.dtype) in _FLOATS


def is_integer(xp: Any, x: Array) -> bool:
    """Whether `x` holds integers; booleans are none."""
    return dtype_kind(xp, x.dtype) in _INTEGERS


def is_float64(xp: Any, x: Array) -> bool:
    """Whether `x` holds float64, in whatever byte order."""
    return dtype_kind(xp, x.dtype) == "float64"


def float_name(xp: Any, device: Any, *arrays: Array) -> str:
    """Name of the dtype in which `arrays` are computed: their widest float, at least float32.

    Without a floating array it is the device's default. Asked before `Backend.wide` is entered,
    which may change that.
    """
    kinds = [dtype_kind(xp, x.dtype) for x in arrays]
    if "float64" in kinds:
        return "float64"
    if "float32" in kinds or "half" in kinds:
        return "float32"
    default = xp.__array_namespace_info__().default_dtypes(device=device)["real floating"]
    return "float64" if dtype_kind(xp, default) == "float64" else "float32"


def cast(xp: Any, x: Array, dtype: Any) -> Array:
    """`x` with `dtype`; `x` itself if it has that already."""
    return x if x.dtype == dtype else xp.astype(x, dtype)


def widen_half(xp: Any, x: Array) -> Array:
    """`x` in float32 if it has a half type, else `x` itself."""
    return xp.astype(x, xp.float32) if dtype_kind(xp, x.dtype) == "half" else x


def wide_float(xp: Any, device: Any, backend: Backend) -> Any:
    """The dtype in which sums accumulate: float64, or float32 where the device has none."""
    return xp.float64 if backend.has_dtype(xp, device, "float64") else xp.float32


def wide_integer(xp: Any, device: Any, backend: Backend) -> Any:
    """The dtype of counts: int64, or int32 where the device has none."""
    return xp.int64 if backend.has_dtype(xp, device, "int64") else xp.int32
