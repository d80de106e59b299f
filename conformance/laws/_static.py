"""Laws that are checked without any value, or without the framework's device."""

import numpy as np

from .._case import Case
from .._environments import Environment
from .._recorder import namespace_calls
from .._verdict import judged
from ._law import law
from ._one_run import Run, ViolationError, by_position


def _has_no_outline(case: Case, env: Environment, dtype: str) -> str | None:
    if env.knowledge.outline(lambda x: x, [env.asarray(np.ones(1), dtype)]) is None:
        return "the framework cannot compute shapes without values"
    return None


@law(objection=_has_no_outline)
def needs_no_values(run: Run) -> None:
    """Shape and dtype of the result follow from those of the inputs, without any value."""
    first, outline = run.first(), run.env.knowledge.outline
    arrays = first.arrays
    try:
        found = outline(by_position(run.case.call, list(arrays)), list(arrays.values()))
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise ViolationError(f"without values it raises {what}") from error
    expected = outline(lambda x: x, [first.result])
    assert found is not None
    assert expected is not None
    (shape, dtype), (right, right_dtype) = found[0], expected[0]
    # A size of None is one that is known by values alone, as the framework says itself.
    fits = len(shape) == len(right) and all(
        n is None or n == m for n, m in zip(shape, right, strict=True)
    )
    if len(found) != 1 or not fits or dtype != right_dtype:
        raise ViolationError(f"without values the result is {found}; with them {expected}")


def _elsewhere(case: Case, env: Environment, dtype: str) -> str | None:
    if env.backend != "numpy" or dtype != "float32":
        return "what the code calls is looked at once, on NumPy"
    try:
        judged((), "cupy")
    except ImportError as error:
        return f"{error}; it is enough that it is installed, a GPU need not be there"
    return None


@law(objection=_elsewhere)
def fits_cupy(run: Run) -> None:
    """CuPy has all that the code calls, with the arguments it is called with; no GPU is needed."""
    master = run.inputs()[0]
    calls = namespace_calls(by_position(run.case.call, list(master)), *master.values())
    verdict = judged(calls, "cupy")
    run.notes += [f"not known: {call}" for call in verdict.unchecked]
    if verdict.objections:
        raise ViolationError("; ".join(verdict.objections))
