"""Laws of functions that nobody has checked yet."""

import numpy as np

from .._case import Case
from .._environments import Environment
from .._reference import Reference
from ..laws import Run, law, within
from ._case import FunctionCase

LONG = 2**15
"""Rows of which a sum that rounds to float32 each time shows itself."""


def _not_by_author(case: Case, env: Environment, dtype: str) -> str | None:
    return None if isinstance(case, FunctionCase) else "the case was not made by c.case"


@law(objection=_not_by_author)
def covers_leading_axes(run: Run) -> float:
    """A mask or weights of leading axes do what they do at full shape, of square inputs too."""
    case = run.case
    assert isinstance(case, FunctionCase)
    worst, master = 0.0, run.inputs()[0]
    for inputs in (master, case.square(master)):
        for name, whole in case.spelled_out(inputs):
            arrays = run.arrays(inputs)
            full = run.call(run.arrays(whole), f"with {name} at full shape the result")
            # The oracle is asked of the form alone that the case declares.
            bound = 2 * np.asarray(run.reference(run.exact(arrays)).bound, dtype=float)
            what = f"with {name} of leading axes, and not at full shape, the result"
            worst = max(worst, within(run.call(arrays, what), Reference(full, bound), what))
    return worst


def _has_no_wide(case: Case, env: Environment, dtype: str) -> str | None:
    xp = env.knowledge.namespace()
    if "float64" not in xp.__array_namespace_info__().dtypes(device=env.device):
        return "there is no float64 here, unless a function asks for it"
    if env.makes_graphs:
        return "a task for each of so many rows takes too long; its chunks are NumPy's"
    if dtype == "float64":
        return "sums of float64 are as wide as sums get; float32 is checked"
    return _not_by_author(case, env, dtype)


@law(objection=_has_no_wide)
def accumulates_wide(run: Run) -> float:
    """Sums over many rows round as sums in float64 do, not each time to the inputs' dtype."""
    case = run.case
    assert isinstance(case, FunctionCase)
    _, _, exact = run.inputs()
    times = max(1, LONG // max(1, case.shape(exact)[0] if case.shape(exact) else 1))
    key = ("long", case.name, run.dtype, run.seed)
    if key not in run.references:
        run.references[key] = case.reference_of_long(exact, run.dtype, times)
    reference = run.references[key]
    assert isinstance(reference, Reference)
    what = f"of {times} times the rows the result"
    return within(run.call(run.arrays(case.long(exact, times)), what), reference, what)
