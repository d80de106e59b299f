"""A law, and what it holds results against."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from .._case import Case
from .._environments import Environment
from .._reference import Reference, Share
from ._one_run import Run, ViolationError, same_shape

HALF = ("float16", "bfloat16")
HALF_LAWS = (
    "matches_oracle",
    "backends_agree",
    "excluded_is_absent",
    "stays_home",
    "dtype_kept",
    "inputs_untouched",
    "nothing_hidden",
)
"""Laws that are checked for half types too: those that the cast itself could break."""

EVERYWHERE = (
    "matches_oracle",
    "backends_agree",
    "stays_home",
    "dtype_kept",
    "inputs_untouched",
    "nothing_hidden",
)
"""Laws that are checked on every device and under every setting of a framework."""

SHAPES_OF_THEIR_OWN = (
    "holds_for_degenerate",
    "exclusion_is_removal",
    "weight_is_repetition",
    "cut_invariant",
)
"""Laws that call a function with shapes that no other law has."""

COMPILED_ANEW = (*SHAPES_OF_THEIR_OWN, "gradient")
"""Laws of whose operations no other law has the like."""

MANY_CALLS = (
    *SHAPES_OF_THEIR_OWN,
    "order_invariant",
    "excluded_is_absent",
    "scale_invariant",
    "thread_safe",
)
"""Laws that call a function often, or of many parts."""

Check = Callable[[Run], float | None]
Objection = Callable[[Case, Environment, str], str | None]


def _none(case: Case, env: Environment, dtype: str) -> str | None:
    return None


@dataclass(frozen=True)
class Law:
    """A property, the check for it, and why it may not apply.

    Attributes
    ----------
    name : str
    check : callable
        Raises `ViolationError`, or returns the share of the bound that was filled, or None.
    objection : callable
        Says why the law does not apply to a case, an environment and a float type, or None.
    """

    name: str
    check: Check
    objection: Objection

    @property
    def says(self) -> str:
        """What the law says: the first line of what its check is documented by."""
        return (inspect.getdoc(self.check) or "").partition("\n")[0]

    def __repr__(self) -> str:
        return f"<law {self.name}>"

    def why_not(self, case: Case, env: Environment, dtype: str) -> str | None:
        """Reason why this law has nothing to check here, or None."""
        if not env.plain and self.name not in EVERYWHERE:
            return (
                "another device or setting changes where arrays lie and what is allowed; the law "
                "is checked on the first device of each kind, with nothing set"
            )
        if dtype in HALF and case.casts_halves and self.name not in HALF_LAWS:
            return "half types are cast to float32 at the door, for which this law is checked"
        if env.compiles_shapes and dtype == "float64" and self.name in COMPILED_ANEW:
            return (
                "every operation is compiled for each shape and float type; laws with shapes or "
                "operations of their own are checked for float32 alone"
            )
        if env.makes_graphs and dtype == "float64" and self.name in MANY_CALLS:
            return (
                "every operation becomes tasks of a graph, of which either float type has the "
                "same; laws of many calls are checked for float32 alone"
            )
        return case.why_not(self.name) or self.objection(case, env, dtype)


@overload
def law(check: Check, /) -> Law: ...
@overload
def law(*, objection: Objection) -> Callable[[Check], Law]: ...
def law(check: Check | None = None, /, *, objection: Objection = _none) -> Any:
    """Make a law of a function of a `Run`; its name is the law's name.

    Parameters
    ----------
    check : callable
        ``check(run)`` raises `ViolationError`, or calls `within` or `same_bits`, which do, where
        the property does not hold. It returns the share of the bound that was filled, or None
        where there is no bound. Its docstring says what the law says.
    objection : callable, optional
        ``objection(case, environment, dtype)`` says why the law has nothing to check, or None.

    Returns
    -------
    Law
        Or, without `check`, the decorator that makes it.

    Examples
    --------
    >>> from agnostic_mask import conformance as c
    >>> @c.law
    ... def not_negative(run):
    ...     '''No number of the result is below 0.'''
    ...     _, arrays, _ = run.inputs()
    ...     if (run.call(arrays) < 0).any():
    ...         raise c.ViolationError("a number of the result is below 0")
    >>> not_negative
    <law not_negative>
    """

    def made(check: Check) -> Law:
        if not callable(check) or not hasattr(check, "__name__"):
            raise TypeError(f"{check!r} is no function; expected one of a run: def mine(run): ...")
        return Law(check.__name__, check, objection)

    return made if check is None else made(check)


def within(result: np.ndarray, reference: Reference, what: str) -> Share:
    """Share of the bound that a result fills; ViolationError if it is more than 1."""
    same_shape(result, reference, what)
    share = reference.share(result)
    if share > 1:
        raise ViolationError(f"{what} {_off(result, reference)}", share)
    return share


SHOWN = 4
"""Numbers up to which a result is shown as a whole."""


def _off(result: np.ndarray, reference: Reference) -> str:
    shares = reference.shares(result)
    worst = max(shares, key=lambda index: shares[index])
    value = np.asarray(reference.value)
    value = value.astype(float) if value.dtype.kind == "O" else value  # numbers of mpmath
    got, bound, more = result, reference.bound, ""
    if result.size > SHOWN:
        beyond = sum(share > 1 for share in shares.values())
        bound = np.broadcast_to(np.asarray(bound, dtype=float), value.shape)[worst]
        got, value = result[worst], value[worst]
        more = f"{_place(worst)}, the worst of {beyond} of {result.size} elements that are off"
    says = f"is {got!s}{more}; expected {value!s}"
    if not math.isfinite(shares[worst].ulps):  # of NaN and infinities there is no distance
        return says
    return (
        f"{says}, at most {bound!s} off: "
        f"{shares[worst]:.3g} times the bound, {shares[worst].ulps:.3g} ulps"
    )


def _place(index: tuple[int, ...]) -> str:
    return f" at {list(index)}"


def same_bits(result: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Raise ViolationError unless two results have the same bits (-0 and 0 are told apart)."""
    if result.shape == expected.shape and result.tobytes() == expected.tobytes():
        return
    more = ""
    if result.shape == expected.shape and result.size > SHOWN:
        differ = [i for i in np.ndindex(result.shape) if not _alike(result[i], expected[i])]
        result, expected = result[differ[0]], expected[differ[0]]
        more = f"{_place(differ[0])}, the first of {len(differ)} elements that differ"
    raise ViolationError(f"{what} gives {result!r}{more}; expected the bits of {expected!r}")


def _alike(a: Any, b: Any) -> bool:
    same: bool = a.tobytes() == b.tobytes()
    return same
