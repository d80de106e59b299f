"""Targets and predictions from a file, which is not trusted: here values are looked at too."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

import agnostic_mask as am

REQUIRED = ("y_true", "y_pred")
OPTIONAL = ("weights", "mask", "lengths")
EXPECTED = "expected an .npz file: numpy.savez(FILE, y_true=..., y_pred=...)"

Kind = Literal["classes", "binary", "values"]
Shape = tuple[int, ...]


class DataFileError(am.AgnosticMaskError, ValueError):
    """A data file cannot be read, or what it holds cannot be compared."""


class _ContentError(Exception):
    """What is wrong with a file, before its name is put in front."""


@dataclass(frozen=True)
class Data:
    """Targets, predictions, and what of them counts; floats as float32.

    Attributes
    ----------
    name : str
        Where they come from.
    kind : {"classes", "binary", "values"}
        Labels and a probability for each class; booleans and the probability of True; or real
        targets and predictions.
    y_true : ndarray, shape S
        int32 labels under "classes", otherwise float32.
    y_pred : ndarray of float32, shape S, under "classes" S + (C,)
        Predictions.
    weights : ndarray of float32 or None
        Weights, over leading axes of S.
    mask : ndarray of bool or None
        What counts, over leading axes of S.
    unused : tuple of str
        Other names that the file holds.
    """

    name: str
    kind: Kind
    y_true: np.ndarray
    y_pred: np.ndarray
    weights: np.ndarray | None
    mask: np.ndarray | None
    unused: tuple[str, ...] = ()

    @property
    def included(self) -> np.ndarray:
        """Whether each element counts, bool of shape S."""
        return _included(self.y_true.shape, self.weights, self.mask)


def bundled() -> Data:
    """Japanese Vowels: a speaker's probabilities for each frame of 370 padded utterances.

    Returns
    -------
    Data
    """
    file = resources.files(f"{__package__}.data") / "japanese_vowels.npz"
    with resources.as_file(file) as path:
        return _load(path, "Japanese Vowels (bundled)")


def load(path: str | Path) -> Data:
    """Read an .npz file and check names, dtypes, shapes and every value that counts.

    Parameters
    ----------
    path : str or Path
        A file of ``y_true`` and ``y_pred``, and, optionally, ``weights``, and ``mask`` or
        ``lengths``. Nothing in it is unpickled.

    Returns
    -------
    Data

    Raises
    ------
    DataFileError
        If the file cannot be read, or not everything in it is as it should be; it says what
        came, what was expected, and how to mend it.
    """
    return _load(Path(path), str(path))


def _load(path: Path, name: str) -> Data:
    try:
        arrays, unused = _read(path)
        return _checked(name, arrays, unused)
    except _ContentError as error:
        raise DataFileError(f"{name}: {error}") from error.__cause__


def _read(path: Path) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The arrays that have a meaning here, and the names of the others, which are left alone."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise _ContentError("there is no such file") from None
    except OSError as error:
        raise _ContentError(f"cannot be opened: {error.strerror or error}") from error
    with stream:
        file = _opened(stream)
        _check_names(file.files)
        ours = [name for name in file.files if name in REQUIRED + OPTIONAL]
        unused = tuple(name for name in file.files if name not in ours)
        return {name: _member(file, name) for name in ours}, unused


def _opened(stream: BinaryIO) -> np.lib.npyio.NpzFile:
    start = stream.read(2)
    stream.seek(0)
    try:
        file = np.load(stream, allow_pickle=False)
    except Exception as error:  # whatever untrusted bytes set off, it is the file that is wrong
        if start == b"PK":
            raise _ContentError("is cut short or damaged; write or copy it again") from error
        raise _ContentError(f"is {'not an .npz file' if start else 'empty'}; {EXPECTED}") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise _ContentError(f"holds a single array without a name; {EXPECTED}")
    return file


def _member(file: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        array = file[name]
    except Exception as error:  # as above
        if "allow_pickle" in str(error):
            raise _ContentError(
                f"{name} holds Python objects, which only unpickling could read, and a pickle can "
                f"run any code; save a plain array of numbers, padded where rows differ in length"
            ) from error
        raise _ContentError(
            f"{name} is cut short or damaged ({error}); write or copy the file again"
        ) from error
    if not isinstance(array, np.ndarray):
        raise _ContentError(f"{name} is not an array; write the file with numpy.savez")
    return array


def _check_names(names: list[str]) -> None:
    """Required names are there, and none is there that is nearly one of ours."""
    has = f"It has {', '.join(map(repr, names)) or 'no array'}"
    others = [name for name in names if name not in REQUIRED + OPTIONAL]
    for name in REQUIRED:
        if name not in names:
            raise _ContentError(f"has no array {name!r}. {has}{_nearest(name, others)}")
    for name in OPTIONAL:
        if name not in names and (near := _nearest(name, others)):
            raise _ContentError(
                f"has an unknown name much like {name!r}. {has}{near}, or remove it"
            )
    if "mask" in names and "lengths" in names:
        raise _ContentError(f"has both 'mask' and 'lengths', two masks; leave one out. {has}")


def _nearest(name: str, others: list[str]) -> str:
    near = difflib.get_close_matches(name, others, n=1)
    return f"; rename {near[0]!r} to {name!r}" if near else ""


def _checked(name: str, arrays: Mapping[str, np.ndarray], unused: tuple[str, ...]) -> Data:
    y_true, y_pred = arrays["y_true"], arrays["y_pred"]
    kind = _kind(y_true, y_pred)
    shape = y_true.shape
    weights, mask = _weights(arrays.get("weights"), shape), _mask(arrays, shape)
    included = _included(shape, weights, mask)
    if not included.any():
        raise _ContentError(
            f"includes nothing of y_true {shape}; expected at least one element that mask (True "
            f"where it counts), lengths and weights leave in"
        )
    _check_values(kind, y_true, y_pred, included)
    if weights is not None:
        _check_finite("weights", _leading(weights, len(shape)), included)
    return Data(
        name,
        kind,
        y_true.astype(np.int32) if kind == "classes" else _as_float32("y_true", y_true, included),
        _as_float32("y_pred", y_pred, included),
        weights,
        mask,
        unused,
    )


def _kind(y_true: np.ndarray, y_pred: np.ndarray) -> Kind:
    if y_pred.dtype.kind != "f":
        raise _ContentError(
            f"y_pred has dtype {y_pred.dtype}; expected floats: y_pred.astype('float32')"
        )
    if y_true.dtype.kind not in "biuf":
        raise _ContentError(
            f"y_true has dtype {y_true.dtype}; expected integers, floats or booleans"
        )
    came = f"y_true has shape {y_true.shape} and dtype {y_true.dtype}, y_pred shape {y_pred.shape}"
    if y_true.shape == y_pred.shape:
        return "binary" if y_true.dtype.kind == "b" else "values"
    if y_true.shape != y_pred.shape[:-1] or y_pred.ndim == 0:
        raise _ContentError(
            f"{came}; expected equal shapes, or, for class probabilities, y_pred with one more "
            f"axis at the end: y_true {y_pred.shape[:-1]}. Reshape one to fit the other"
        )
    if y_true.dtype.kind not in "iu":
        raise _ContentError(
            f"{came}; expected integer labels, y_true.astype('int32'), for a last axis of classes"
        )
    return "classes"


def _weights(weights: np.ndarray | None, shape: Shape) -> np.ndarray | None:
    if weights is None:
        return None
    if weights.dtype.kind not in "biuf":
        raise _ContentError(f"weights has dtype {weights.dtype}; expected real numbers")
    _check_covers("weights", weights, shape)
    cast = _float32(weights)
    if ((cast == 0) & (weights != 0)).any():
        raise _ContentError(
            "weights has numbers that are 0 in float32; multiply all weights by a constant"
        )
    return cast


def _mask(arrays: Mapping[str, np.ndarray], shape: Shape) -> np.ndarray | None:
    if "lengths" in arrays:
        return _mask_of_lengths(arrays["lengths"], shape)
    mask = arrays.get("mask")
    if mask is None:
        return None
    if mask.dtype.kind not in "biu":
        raise _ContentError(
            f"mask has dtype {mask.dtype}; expected booleans, True where an element counts. "
            f"Factors belong in weights"
        )
    _check_covers("mask", mask, shape)
    counts: np.ndarray = mask != 0
    return counts


def _mask_of_lengths(lengths: np.ndarray, shape: Shape) -> np.ndarray:
    if lengths.dtype.kind not in "iu":
        raise _ContentError(f"lengths has dtype {lengths.dtype}; expected integers")
    rank = lengths.ndim
    if rank >= len(shape) or lengths.shape != shape[:rank]:
        raise _ContentError(
            f"lengths has shape {lengths.shape} and y_true {shape}; expected the axes before that "
            f"of time, such as {shape[:1]} for time on axis 1"
        )
    outside = (lengths < 0) | (lengths > shape[rank])
    if outside.any():
        at = _first(outside)
        raise _ContentError(
            f"lengths{list(at)} is {lengths[at]}; expected 0 to {shape[rank]}, the size of the "
            f"time axis of y_true {shape}"
        )
    mask: np.ndarray = am.sequence_mask(lengths.astype(np.int64), shape[rank])
    return mask


def _check_covers(name: str, x: np.ndarray, shape: Shape) -> None:
    if x.ndim > len(shape) or any(n not in (1, m) for n, m in zip(x.shape, shape, strict=False)):
        raise _ContentError(
            f"{name} has shape {x.shape} and y_true {shape}; expected leading axes of y_true, such "
            f"as {shape[:1]}, each of its size or 1. Nothing is aligned from the right"
        )


def _check_values(kind: Kind, y_true: np.ndarray, y_pred: np.ndarray, included: np.ndarray) -> None:
    if kind == "classes":
        classes = y_pred.shape[-1]
        outside = included & ((y_true < 0) | (y_true >= classes))
        if outside.any():
            at = _first(outside)
            raise _ContentError(
                f"y_true{list(at)} is {y_true[at]} and counts; expected 0 to {classes - 1}, a "
                f"class of y_pred {y_pred.shape}. Exclude it by mask, lengths or a weight of 0"
            )
        included = np.broadcast_to(included[..., np.newaxis], y_pred.shape)
    if kind != "values":
        improbable = included & ~((y_pred >= 0) & (y_pred <= 1))
        if improbable.any():
            at = _first(improbable)
            raise _ContentError(
                f"y_pred{list(at)} is {y_pred[at]} and counts; expected a probability, 0 to 1. "
                f"Turn logits into probabilities, or exclude it by mask, lengths or a weight of 0"
            )


def _as_float32(name: str, x: np.ndarray, included: np.ndarray) -> np.ndarray:
    cast = _float32(x)
    _check_finite(name, cast, _leading(included, x.ndim))
    return cast


def _check_finite(name: str, x: np.ndarray, included: np.ndarray) -> None:
    infinite = included & ~np.isfinite(x)
    if infinite.any():
        at = _first(infinite)
        raise _ContentError(
            f"{name} is {np.broadcast_to(x, infinite.shape)[at]} for element {at}, which counts; "
            f"expected a finite float32. Exclude it by mask, lengths or a weight of 0"
        )


def _float32(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what counts is checked, what does not may hold anything
        return x.astype(np.float32)


def _included(shape: Shape, weights: np.ndarray | None, mask: np.ndarray | None) -> np.ndarray:
    included = np.ones(shape, dtype=bool)
    for counts in (mask, None if weights is None else weights != 0):
        if counts is not None:
            included &= _leading(counts, len(shape))
    return included


def _leading(x: np.ndarray, rank: int) -> np.ndarray:
    """`x`, which covers leading axes, with dimensions of 1 up to `rank`."""
    return x.reshape(x.shape + (1,) * (rank - x.ndim))


def _first(where: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(where)[0])
