"""One run of one case: what a law is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import Call, Case, Host
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

    def first(self) -> "First":
        """What the function makes of the case's inputs, asked once where calls take long."""
        key = ("first", self.case.name, self.env.label, self.dtype, self.seed)
        found: First = self.references.get(key) or First(self)
        if self.env.makes_graphs:
            self.references[key] = found
        return found

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

    def as_one(
        self, call: Callable[[Mapping[str, am.Array]], Any], names: Sequence[str]
    ) -> Callable[[Mapping[str, am.Array]], Any]:
        """A function of arrays so named, compiled as a whole where else every operation would be.

        Of new shapes, that takes a third of the time. A function of somebody else's may not be
        made for it, and is left.
        """
        case = self.case
        if not self.env.compiles_shapes or case.by_itself or case.why_not("compiles"):
            return call
        compiled = self.env.knowledge.compiled(by_position(call, names))
        assert compiled is not None
        return lambda arrays: compiled(*(arrays[name] for name in names))

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


class First:
    """What a function makes of a case's inputs.

    Attributes
    ----------
    arrays : dict of str to array
        The inputs.
    exact : dict of str to numpy.ndarray
        What they held before the call.
    result : array
    """

    def __init__(self, run: Run) -> None:
        _, self.arrays, self.exact = run.inputs()
        self.result = run.case.call(self.arrays)
        self._run = run
        self._host: np.ndarray | None = None

    def host(self) -> np.ndarray:
        """The result, on the host."""
        if self._host is None:
            self._host = self._run.case.on_host(self._run.env, self.result)
        return self._host


def by_position(call: Call, names: Sequence[str]) -> Call:
    """A function of named arrays, as one of arrays in this order, as compilers take it."""

    def positional(*values: am.Array) -> am.Array:
        return call(dict(zip(names, values, strict=True)))

    return positional


NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32"}
"""What stands for a dtype where it is missing."""


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
