"""A law, and one run of one case under it."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

import agnostic_mask as am

from .._case import Case, Host
from .._environments import Environment
from .._reference import EVERYTHING, Reference, Share


class ViolationError(AssertionError):
    """A law does not hold; the message says what came and what was expected.

    Attributes
    ----------
    share : Share or None
        Of the bound, where there is one.
    """

    def __init__(self, message: str, share: Share | None = None) -> None:
        super().__init__(message)
        self.share = share


class NotHereError(ValueError):
    """The inputs of a case cannot be made in an environment."""


@dataclass
class Run:
    """A case in an environment, for one float type: what a law is given.

    Attributes
    ----------
    case : Case
    env : Environment
    dtype : str
        Name of the float type of the inputs.
    seed : int
    references : dict
        What was computed before for this case, shared by all its runs.
    others : sequence of Environment
        Those that results are compared with.
    given : dict of str to numpy.ndarray, optional
        Inputs to use in place of those that the seed makes.
    notes : list of str
        What a report should say although the law holds.
    """

    case: Case
    env: Environment
    dtype: str
    seed: int
    references: dict[Any, Any] = field(default_factory=dict)
    others: Sequence[Environment] = ()
    given: Host | None = None
    notes: list[str] = field(default_factory=list)

    def precision(self) -> str:
        """Name of the float type of the computation: the inputs', or else the framework's own."""
        by_default = self.case.result_dtype(self.dtype) == "default"
        return self.env.default_float() if by_default else self.dtype

    def result_dtype(self) -> str:
        """Name of the dtype that the result must have, if the device has it."""
        name = self.case.result_dtype(self.dtype)
        return self.env.default_float() if name == "default" else name

    def rng(self) -> np.random.Generator:
        """Random numbers, the same in every environment."""
        return self.case.rng(self.seed)

    def arrays(self, master: Mapping[str, np.ndarray]) -> dict[str, am.Array]:
        """Inputs as arrays of the environment, floats in the float type of the run."""
        with np.errstate(all="ignore"):  # numbers that the float type has not become infinite
            return {name: self._array(name, x) for name, x in master.items()}

    def _array(self, name: str, x: np.ndarray) -> am.Array:
        if x.dtype.kind == "f":
            return self.env.asarray(x, self.dtype if name in self.case.floating else None)
        narrow, known = NARROW.get(x.dtype.name), self.env.knowledge
        if narrow is None or known.has_dtype(known.namespace(), self.env.device, x.dtype.name):
            return self.env.asarray(x)
        if (x.astype(narrow) != x).any():
            raise NotHereError(
                f"{self.case.called(name)} holds integers beyond {narrow}, and there is no "
                f"{x.dtype.name} here"
            )
        return self.env.asarray(x.astype(narrow))

    def exact(self, arrays: Mapping[str, am.Array]) -> Host:
        """What the environment's arrays hold, as NumPy arrays."""
        return {name: self.env.host(x) for name, x in arrays.items()}

    def inputs(self) -> tuple[Host, dict[str, am.Array], Host]:
        """The case's inputs: as they were made, as arrays, and what those hold exactly."""
        master = self.case.inputs(self.rng()) if self.given is None else self.given
        arrays = self.arrays(master)
        exact = self.exact(arrays)
        for name in self.case.finite():
            if np.isinf(exact[name]).any():
                raise OverflowError(
                    f"{self.case.called(name)} holds numbers that are beyond {self.dtype}; give "
                    f"smaller ones, or leave {self.dtype} out"
                )
        return master, arrays, exact

    def call(self, arrays: Mapping[str, am.Array], what: str = "") -> np.ndarray:
        """Result of the function under test, on the host; `what` says of which inputs it is."""
        return self.on_host(self.case.call, arrays, what)

    def on_host(
        self,
        call: Callable[[Mapping[str, am.Array]], am.Array],
        arrays: Mapping[str, am.Array],
        what: str,
    ) -> np.ndarray:
        """Result of a function, on the host; ViolationError that says `what` if it raises."""
        try:
            return self.case.on_host(self.env, call(arrays))
        except Exception as error:
            if not what:
                raise
            raise ViolationError(f"{what} is not there: {type(error).__name__}: {error}") from error

    def expected(self, exact: Host, arrays: Mapping[str, am.Array]) -> Reference:
        """What other inputs must give that should give the same as these.

        Of our own functions that is what the oracle says; of others what they give themselves, so
        that a wrong value is told once, by `matches_oracle`.
        """
        reference = self.reference(exact)
        if not self.case.by_itself:
            return reference
        return same_shape(self.call(arrays), reference, "the result", bounds=2)

    def reference(self, exact: Host) -> Reference:
        """What the oracle says of inputs, remembered."""
        precision, accumulator = self.precision(), self.env.accumulator()
        inputs = ((name, x.shape, x.tobytes()) for name, x in exact.items())
        key = (self.case.name, precision, accumulator, *inputs)
        if key not in self.references:
            self.references[key] = self.case.reference(exact, precision, accumulator)
        found: Reference = self.references[key]
        return found


NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32"}
"""What stands for a dtype where it is missing."""

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
        if env.compiles_shapes and dtype == "float64" and self.name in SHAPES_OF_THEIR_OWN:
            return (
                "every operation is compiled for each shape and float type; laws with shapes of "
                "their own are checked for float32 alone"
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


def same_shape(
    result: np.ndarray, reference: Reference, what: str, *, bounds: float = 1
) -> Reference:
    """A result as what others are held against, with so many of its own bounds.

    ViolationError if its shape is not that of what is right.
    """
    if np.shape(result) != np.shape(reference.value):
        raise ViolationError(
            f"{what} has shape {np.shape(result)}; the value in higher precision has "
            f"{np.shape(reference.value)} (which is the oracle's, if the case has one)",
            EVERYTHING,
        )
    return Reference(result, bounds * np.asarray(reference.bound, dtype=float))


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
