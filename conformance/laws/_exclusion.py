"""The first law: what is excluded is absent, whatever it holds."""

import warnings

import numpy as np

from .._case import Case, CoveredCase, Host
from .._environments import Environment
from ._law import law, same_bits
from ._one_run import Run, ViolationError

GARBAGE = (float("nan"), float("inf"), float("-inf"), 1e300, -1e300, -100.0, 0.0)
LABELS = (-100, -1, 2**31 - 1, 127)

MANY, FEW = (0, 1, 3, 5, -1, -1), (0, 3, -1)
"""Kinds of garbage, -1 for all mixed; few where every call takes long."""


def _excludes(case: Case, env: Environment, dtype: str) -> str | None:
    if isinstance(case, CoveredCase):
        return None if case.excludes() else "the case excludes nothing"
    return "takes neither mask nor weights"


def _fill(rng: np.random.Generator, x: np.ndarray, where: np.ndarray, kind: int) -> np.ndarray:
    """Put garbage where `where` is True: one kind, or for kind -1 a mixture."""
    filled = x.copy()
    choices = LABELS if x.dtype.kind in "iu" else GARBAGE
    chosen = np.asarray(choices)[rng.integers(0, len(choices), x.shape)] if kind < 0 else None
    value = np.asarray(choices[kind % len(choices)]) if chosen is None else chosen
    if x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype)
        value = np.clip(value, limits.min, limits.max)
    return np.where(where, value, filled).astype(x.dtype)


def littered(
    case: CoveredCase,
    master: Host,
    exact: Host,
    rng: np.random.Generator,
    kind: int,
) -> Host:
    """Inputs with garbage in every excluded place of data, weights and labels of groups."""
    included = case.included(exact)
    dirty = dict(master)
    for name in case.covered(master):
        out = ~case.over(included, master[name])
        dirty[name] = _fill(rng, master[name], out, kind)
    if "weights" in master:
        dirty["weights"] = _littered_weights(case, master["weights"], exact, rng, kind)
    if "by" in master:
        dirty["by"] = _fill(rng, master["by"], _unused(master["by"], case.told_apart(exact)), kind)
    return dirty


def _unused(cover: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Where what covers elements covers none of those that are left."""
    shape = cover.shape + (1,) * (left.ndim - cover.ndim)
    summed = tuple(i for i, n in enumerate(shape) if n == 1 and left.shape[i] != 1)
    return np.asarray(~left.any(axis=summed, keepdims=True).reshape(cover.shape))


def _littered_weights(
    case: CoveredCase,
    weights: np.ndarray,
    exact: Host,
    rng: np.random.Generator,
    kind: int,
) -> np.ndarray:
    """Weights with garbage where the mask leaves none of the elements that they cover."""
    unused = _unused(weights, case.unmasked(exact))
    if case.counts_excluded:
        # Its formula counts weights that are not 0, excluded ones too: they stay so.
        unused = unused & (weights != 0)
        return np.where(unused, np.nan if weights.dtype.kind == "f" else 7, weights)
    return _fill(rng, weights, unused, kind)


@law(objection=_excludes)
def excluded_is_absent(run: Run) -> None:
    """Garbage in excluded places changes no bit of the result, and warns of nothing."""
    case = run.case
    assert isinstance(case, CoveredCase)
    master, _, exact = run.inputs()
    clean = run.first().host()
    rng = run.rng()
    for kind in FEW if run.env.makes_graphs else MANY:
        with np.errstate(all="ignore"):  # casting 1e300 to a narrow type, before the call
            dirty = run.arrays(littered(case, master, exact, rng, kind))
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                result = run.call(dirty)
            except RuntimeWarning as warning:
                raise ViolationError(f"excluded elements raise a warning: {warning}") from warning
        same_bits(result, clean, "garbage in excluded places")
