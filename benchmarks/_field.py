"""What takes part: a contender is a name and a way to make the call that is timed."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

Call = Callable[[], Any]


class Timed(NamedTuple):
    """A call to time, and another one for its number, where the former does not return it."""

    call: Call
    answer: Call


Build = Callable[[SimpleNamespace], Call | Timed]


@dataclass(frozen=True)
class Contender:
    """One way to compute a workload.

    Parameters
    ----------
    name : str
        Unique among the contenders of its family and kind of workload.
    build : callable
        Takes the inputs as arrays of the family, attributes of one namespace, and returns what is
        timed. What a user would do once for many calls belongs here, the rest into the call.
    number : str
        Which of the workload's numbers it computes.
    nan_safe : bool
        Whether NaN in an excluded element leaves the value as it is.
    compiled : bool
        Whether the first call at a new shape compiles.
    scale : float
        By what the measured time is multiplied.
    """

    name: str
    build: Build
    number: str = "mean"
    nan_safe: bool = False
    compiled: bool = False
    scale: float = 1.0


@dataclass
class Field:
    """The contenders of one family, by kind of workload."""

    of: dict[str, list[Contender]] = field(default_factory=dict)

    def enter(self, *kinds: str, name: str, **options: Any) -> Callable[[Build], Build]:
        """Enter the decorated function, for each of the kinds."""

        def entered(build: Build) -> Build:
            for kind in kinds:
                self.of.setdefault(kind, []).append(Contender(name, build, **options))
            return build

        return entered


def in_turns(x: SimpleNamespace, fn: Callable[..., Any]) -> Timed:
    """fn(y_true, y_pred, weights, mask) of one set of inputs after the other.

    The same small inputs over and over would teach the processor where their mask branches.
    """
    rows = range(len(x.y_true))
    sets = [(x.y_true[i], x.y_pred[i], x.weights[i], x.mask[i]) for i in rows]
    turns = itertools.cycle(sets)
    return Timed(lambda: fn(*next(turns)), lambda: fn(*sets[0]))


class Family(Protocol):
    """What a module of `_contenders` offers; it imports its framework when it is imported."""

    FIELD: Field
    LIBRARIES: tuple[str, ...]

    def arrays(self, inputs: SimpleNamespace, device: str) -> SimpleNamespace:
        """The same inputs as arrays of the family."""

    def wait(self, result: Any) -> None:
        """Return when the result is there."""

    def host(self, result: Any) -> Any:
        """The result as a NumPy array."""


def converted(inputs: SimpleNamespace, fn: Callable[[Any], Any]) -> SimpleNamespace:
    """The inputs with `fn` of each array; the name of the kind stays."""
    return SimpleNamespace(
        **{name: x if isinstance(x, str) else fn(x) for name, x in vars(inputs).items()}
    )


def arrays_of(inputs: SimpleNamespace) -> Iterator[Any]:
    """The arrays among the inputs."""
    return (x for x in vars(inputs).values() if not isinstance(x, str))
