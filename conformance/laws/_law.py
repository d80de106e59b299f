"""A law, and one run of one case under it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import agnostic_mask as am

from .._environments import Environment
from ..cases import Case, Host
from ..oracle import Reference


class ViolationError(AssertionError):
    """A law does not hold; the message says what came and what was expected."""


@dataclass
class Run:
    """A case in an environment, for one float type.

    Attributes
    ----------
    case : Case
    env : Environment
    dtype : str
        Name of the float type of the inputs.
    seed : int
    references : dict
        What the oracle said before, shared by all runs.
    """

    case: Case
    env: Environment
    dtype: str
    seed: int
    references: dict[Any, Reference] = field(default_factory=dict)

    def rng(self) -> np.random.Generator:
        """Random numbers, the same in every environment."""
        return self.case.rng(self.seed)

    def arrays(self, master: Mapping[str, np.ndarray]) -> dict[str, am.Array]:
        """Inputs as arrays of the environment, floats in the float type of the run."""
        floating = self.case.floating
        return {
            name: self.env.asarray(x, self.dtype if name in floating else None)
            for name, x in master.items()
        }

    def exact(self, arrays: Mapping[str, am.Array]) -> Host:
        """What the environment's arrays hold, as NumPy arrays."""
        return {name: self.env.host(x) for name, x in arrays.items()}

    def inputs(self) -> tuple[Host, dict[str, am.Array], Host]:
        """The case's inputs: as they were made, as arrays, and what those hold exactly."""
        master = self.case.inputs(self.rng())
        arrays = self.arrays(master)
        return master, arrays, self.exact(arrays)

    def call(self, arrays: Mapping[str, am.Array]) -> np.ndarray:
        """Result of the function under test, on the host."""
        return self.env.host(self.case.call(arrays))

    def reference(self, exact: Host) -> Reference:
        """What the oracle says of inputs, remembered."""
        accumulator = self.env.accumulator()
        inputs = ((name, x.shape, x.tobytes()) for name, x in exact.items())
        key = (self.case.name, self.dtype, accumulator, *inputs)
        if key not in self.references:
            self.references[key] = self.case.reference(exact, self.dtype, accumulator)
        return self.references[key]


HALF = ("float16", "bfloat16")
HALF_LAWS = ("oracle", "excluded", "home", "untouched", "nothing hidden")
"""Laws that are checked for half types too: those that the cast itself could break."""

SHAPES_OF_THEIR_OWN = ("degenerate", "removal", "repetition", "cuts")
"""Laws that call a function with shapes that no other law has."""

MANY_CALLS = (*SHAPES_OF_THEIR_OWN, "excluded", "scale", "threads")
"""Laws that call a function often, or of many parts."""

Check = Callable[[Run], float | None]
Objection = Callable[[Case, Environment, str], str | None]


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

    def why_not(self, case: Case, env: Environment, dtype: str) -> str | None:
        """Reason why this law has nothing to check here, or None."""
        if dtype in HALF and self.name not in HALF_LAWS:
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


LAWS: list[Law] = []


def law(
    name: str, objection: Objection = lambda case, env, dtype: None
) -> Callable[[Check], Check]:
    """Add a check to the laws, under a name."""

    def add(check: Check) -> Check:
        LAWS.append(Law(name, check, objection))
        return check

    return add


def within(result: np.ndarray, reference: Reference, what: str) -> float:
    """Share of the bound that a result fills; ViolationError if it is more than 1."""
    share = reference.share(result)
    if share > 1:
        raise ViolationError(
            f"{what} is {result!s}; expected {np.asarray(reference.value, dtype=float)!s}, at "
            f"most {reference.bound!s} off: {share:.3g} times the bound"
        )
    return share


def same_bits(result: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Raise ViolationError unless two results have the same bits (-0 and 0 are told apart)."""
    if result.shape != expected.shape or result.tobytes() != expected.tobytes():
        raise ViolationError(f"{what} gives {result!r}; expected the bits of {expected!r}")


def close(result: np.ndarray, expected: np.ndarray, bound: Any, what: str) -> float:
    """Share of a bound on the distance of two results; ViolationError if it is more than 1."""
    return within(result, Reference(np.asarray(expected, dtype=float), bound), what)
