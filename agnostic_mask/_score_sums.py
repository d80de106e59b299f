"""Sums of the scores of a function: what an objective, and most metrics, gather."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from agnostic_mask import _tally
from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._cover import Shape
from agnostic_mask._declare import Bound, declared, described, innermost, is_ours, name_of
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._fusion import Fusion, Gather, Scores
from agnostic_mask._scoring import Batch, score
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments, Statistic
from agnostic_mask._tally import Reduction, Tally

_T = TypeVar("_T")


@dataclass(frozen=True)
class ScoreSums(Statistic[Tally]):
    """Sums of the scores of a function, and of what a reduction divides them by."""

    state: ClassVar[type[State]] = Tally
    made_for: str
    inner: Callable[..., Any] = field(repr=False)
    fn: Callable[..., Any] = field(repr=False, compare=False)
    reduction: Reduction = field(repr=False, compare=False)
    declaration: Bound | None = field(repr=False, compare=False)
    fusion: Fusion | None = field(default=None, repr=False, compare=False)

    def check(self, name: str, state: Any) -> None:
        self.check_gathers()
        super().check(name, state)

    def check_gathers(self) -> None:
        if self.reduction == "none":
            raise ValueError(
                "reduction 'none' has no state, for it keeps every score; call the objective, "
                "or choose one of 'keras2', 'keras3', 'mean', 'sum'"
            )

    def zero(self, d: Dispatch, dtype: str) -> Tally:
        self.check_gathers()
        parts = None if self.declaration is None else self.declaration.parts
        shape = () if parts is None else (parts,)
        return _tally.zero(self.made_for, self.reduction, d, dtype, shape)

    def scored(self, batch: Arguments, fn: Scores | None = None) -> Batch:
        """Scores of a batch, by `fn` if it is given, and what covers them."""
        return score(fn or self.fn, self.declaration, batch, soft=self.reduction == "keras2")

    def gather(self, batch: Arguments) -> Tally:
        self.check_gathers()
        return self.made_of(batch, self._tallied)

    def made_of(self, batch: Arguments, fn: Gather[_T]) -> _T:
        """What a function of this statistic makes of a batch, compiled if that was asked for."""
        return fn(batch, self.fn) if self.fusion is None else self.fusion.call(fn, batch)

    def _tallied(self, batch: Arguments, fn: Scores) -> Tally:
        ratio = self.declaration is not None and self.declaration.parts is not None
        return _tally.tally(self.made_for, self.reduction, self.scored(batch, fn), ratio=ratio)

    def merge(self, left: Tally, right: Tally) -> Tally:
        return _tally.merge(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        return None if self.declaration is None else self.declaration.cut_along(*shapes)

    @property
    def replays(self) -> bool:
        return self.fusion is None and is_ours(self.fn)

    def whole(self, backend: Backend) -> bool:
        return self.fusion is not None and backend.fuses_batches

    def finished(self, d: Dispatch, state: Tally, *, epsilon: float = 0.0) -> Array:
        """Value of a state, in the accumulator's dtype."""
        value = _tally.reduced(d, state, epsilon)
        if self.declaration is None or self.declaration.parts is None:
            return value
        return self.declaration.finished([value[..., i] for i in range(self.declaration.parts)])


def score_sums(
    fn: Callable[..., Any], reduction: Reduction = "mean", *, fuse: bool = False
) -> ScoreSums:
    """What to gather of the scores of `fn` for a reduction; compiled if `fuse`."""
    made_for = f"{reduction} of {described(fn)}"
    fusion = Fusion(f"the objective of {name_of(fn)}", fn) if fuse else None
    return ScoreSums(made_for, innermost(fn), fn, reduction, declared(fn), fusion)
