"""The masked, weighted objective: one wrapper around any score function."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from agnostic_mask import _cover, _declare, _staged, _tally
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, dtype_kind, float_name, is_float64, is_floating, widen_half
from agnostic_mask._errors import (
    MixedDevicesError,
    MixedFrameworksError,
    ShapeMismatchError,
    UnsupportedArrayError,
)
from agnostic_mask._registry import kind_of, namespace_name
from agnostic_mask._tally import REDUCTIONS, Reduction, Tally

ScoreFunction = Callable[[Array, Array], Array]


class _Batch(NamedTuple):
    """Scores of a batch and what of them counts."""

    d: Dispatch
    scores: Array
    mask: Array | None
    soft: Array | None
    weights: Array | None


@dataclass(frozen=True)
class Objective:
    """A masked, weighted objective; made by `weighted_masked_objective`, which see.

    Call it for the value of one batch. For a data set in parts, `zero`, `update`, `merge` and
    `compute` give the value of the whole.
    """

    fn: ScoreFunction
    reduction: Reduction
    empty: float | None
    epsilon: float

    def __call__(
        self,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        """Value of one batch.

        Parameters
        ----------
        y_true, y_pred : array
            What the score function takes, of one framework and device. Half types are cast to
            float32.
        weights : array of real, optional
            Any sign; 0 excludes. Covers leading axes of the scores, a dimension of 1 broadcasts.
        mask : array of bool or int, optional
            True or non-zero counts. Covers leading axes of the scores likewise. Under "keras2"
            it may also be floating, and then is a factor.

        Returns
        -------
        array, 0-d (the scores' shape under "none")
            In the scores' float type: at least float32.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        """
        batch = self._score(y_true, y_pred, weights, mask)
        if self.reduction == "none":
            return _unreduced(batch)
        return self.compute(self._tally(batch))

    def zero(self, like: Array | Tally) -> Tally:
        """State of no batch, which changes nothing when merged.

        Parameters
        ----------
        like : array or state
            An array such as y_pred, for framework, device and float type; or a state, for its
            structure too, which a loop such as `jax.lax.scan` wants from its start.

        Returns
        -------
        Tally

        Raises
        ------
        ValueError
            Under "none", which has no state.
        """
        self._needs_state()
        if isinstance(like, Tally):
            _tally.check_made_for(self.reduction, "like", like)
            return _tally.zero_like(like)
        d = resolve((("like", like),))
        # What is not floating leaves the float type to the batches to come.
        dtype = "float64" if is_float64(d.xp, like) else "float32"
        return _tally.zero(d, self.reduction, dtype)

    def update(
        self,
        state: Tally,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
    ) -> Tally:
        """State of the batches before and of this one; see the call for the arguments."""
        self._needs_state()
        _tally.check_made_for(self.reduction, "state", state)
        return self.merge(state, self._tally(self._score(y_true, y_pred, weights, mask)))

    def merge(self, left: Tally, right: Tally) -> Tally:
        """State of the batches of both.

        Raises
        ------
        StateMismatchError
            If one is of another reduction or, under "keras2", one of batches with and one of
            batches without a mask, or weights.
        """
        self._needs_state()
        for name, state in (("the left state", left), ("the right state", right)):
            _tally.check_made_for(self.reduction, name, state)
        return _tally.merge(left, right)

    def compute(self, state: Tally) -> Array:
        """Value of the batches in the state: a 0-d array in the scores' float type.

        Raises
        ------
        StateMismatchError
            If the state is of another reduction.
        """
        self._needs_state()
        _tally.check_made_for(self.reduction, "state", state)
        return _tally.compute(state, self.empty, self.epsilon)

    def _needs_state(self) -> None:
        if self.reduction == "none":
            raise ValueError(
                "reduction 'none' has no state, for it keeps every score; call the objective, "
                "or choose one of 'keras2', 'keras3', 'mean', 'sum'"
            )

    def _tally(self, batch: _Batch) -> Tally:
        d, scores, mask, soft, weights = batch
        return _tally.tally(d, self.reduction, scores, mask, soft, weights)

    def _score(
        self, y_true: Array, y_pred: Array, weights: Array | None, mask: Array | None
    ) -> _Batch:
        named = (("y_true", y_true), ("y_pred", y_pred), ("weights", weights), ("mask", mask))
        d = resolve(named)
        xp = d.xp
        for name, x in named[:2]:
            if x is None:
                raise UnsupportedArrayError(f"{name} is None; expected an array")
        for name, x in named:
            if x is not None:
                _cover.known_shape(name, x)
        soft = None
        if mask is not None:
            kind = _cover.mask_kind(xp, mask, soft=self.reduction == "keras2")
            if is_floating(xp, mask):
                soft, mask = widen_half(xp, mask), None
            else:
                mask = _cover.as_boolean(mask, kind)
        if weights is not None:
            weights = _cover.as_factors(xp, weights)
        y_true, y_pred = widen_half(xp, y_true), widen_half(xp, y_pred)
        declaration = _declare.declared(self.fn)
        # JAX would narrow float64 arrays that it was handed outside of its wide context.
        wide = is_float64(xp, y_true) or is_float64(xp, y_pred)
        with d.backend.wide() if wide else nullcontext():
            if declaration is None:
                return self._score_undeclared(d, y_true, y_pred, weights, mask, soft)
            return self._score_rows(declaration, d, y_true, y_pred, weights, mask, soft)

    def _score_rows(
        self,
        declaration: _declare.Bound,
        d: Dispatch,
        y_true: Array,
        y_pred: Array,
        weights: Array | None,
        mask: Array | None,
        soft: Array | None,
    ) -> _Batch:
        xp = d.xp
        shape = declaration.scores_shape(tuple(y_true.shape), tuple(y_pred.shape))
        _check_covers(shape, weights, mask, soft)
        own = declaration.included(y_true)
        if own is not None:
            mask = (
                own if mask is None else _staged.inclusion(xp, len(shape), (mask, own), ()).include
            )
        include = _staged.inclusion(xp, len(shape), (mask,), (soft, weights)).include
        if include is not None:
            axis = declaration.class_axis(len(y_pred.shape))
            true_value, pred_value = declaration.declaration.harmless
            y_true = _substitute(xp, include, y_true, true_value, len(shape), axis)
            y_pred = _substitute(xp, include, y_pred, pred_value, len(shape), axis)
        scores = self._called(d, y_true, y_pred)
        if tuple(scores.shape) != shape:
            raise ShapeMismatchError(
                f"{declaration.name} returned scores of shape {tuple(scores.shape)}; expected "
                f"{shape} from y_pred of shape {tuple(y_pred.shape)}, as it declares"
            )
        return _Batch(d, scores, mask, soft, weights)

    def _score_undeclared(
        self,
        d: Dispatch,
        y_true: Array,
        y_pred: Array,
        weights: Array | None,
        mask: Array | None,
        soft: Array | None,
    ) -> _Batch:
        _cover.check_not_crossed("y_true", tuple(y_true.shape), "y_pred", tuple(y_pred.shape))
        scores = self._called(d, y_true, y_pred)
        shape = _cover.known_shape("scores", scores)
        _check_covers(shape, weights, mask, soft)
        include = _staged.inclusion(d.xp, len(shape), (mask,), (soft, weights)).include
        return _Batch(d, _staged.clean(d.xp, scores, include), mask, soft, weights)

    def _called(self, d: Dispatch, y_true: Array, y_pred: Array) -> Array:
        """What the score function returned, as floats of the framework that went in."""
        scores = self.fn(y_true, y_pred)
        name = f"the result of {_declare.name_of(self.fn)}"
        kind = kind_of(scores)
        if kind is None or kind.refusal is not None:
            raise UnsupportedArrayError(
                f"{name} is a {type(scores).__name__}; expected an array of scores, one for "
                f"each element or row. Write it with the operations of the array namespace, "
                f"and leave the reduction to the objective"
            )
        if kind.xp is not d.xp:
            raise MixedFrameworksError(
                f"{name} is a {namespace_name(kind.xp)} array; expected one of "
                f"{namespace_name(d.xp)}, as y_pred is"
            )
        if d.backend.device(scores) != d.device:
            raise MixedDevicesError(
                f"{name} is on device {d.backend.device(scores)}; expected {d.device}, where "
                f"y_pred is"
            )
        resolve(((name, scores),))
        if is_floating(d.xp, scores):
            return widen_half(d.xp, scores)
        return cast(d.xp, scores, getattr(d.xp, float_name(d.xp, d.device, y_true, y_pred)))


def _check_covers(
    shape: _cover.Shape, weights: Array | None, mask: Array | None, soft: Array | None
) -> None:
    for name, x in (("weights", weights), ("mask", mask), ("mask", soft)):
        if x is not None:
            _cover.check_covers(name, tuple(x.shape), "scores", shape)


def _substitute(
    xp: Any, include: Array, x: Array, value: float, rank: int, class_axis: int | None
) -> Array:
    skip = class_axis if len(x.shape) > rank else None
    where = _cover.expand(xp, include, len(x.shape), skip=skip)
    if is_floating(xp, x):
        return xp.where(where, x, value)
    if dtype_kind(xp, x.dtype) == "bool":
        return x & where
    return xp.where(where, x, 0)


def _unreduced(batch: _Batch) -> Array:
    d, scores, mask, soft, weights = batch
    xp = d.xp
    joint = _staged.inclusion(xp, len(scores.shape), (mask,), (soft, weights))
    dtype = scores.dtype
    with d.backend.wide():
        value = cast(xp, _staged.weighed(d, scores, joint), dtype)
        # The function may have returned its input; a result never is one.
        return d.backend.copy(value) if value is scores else d.backend.as_array(value)


@overload
def weighted_masked_objective(
    fn: ScoreFunction,
    *,
    reduction: Reduction = "keras2",
    empty: float | None = None,
    epsilon: float = 1e-7,
) -> Objective: ...


@overload
def weighted_masked_objective(
    fn: None,
    *,
    reduction: Reduction = "keras2",
    empty: float | None = None,
    epsilon: float = 1e-7,
) -> None: ...


def weighted_masked_objective(
    fn: ScoreFunction | None,
    *,
    reduction: Reduction = "keras2",
    empty: float | None = None,
    epsilon: float = 1e-7,
) -> Objective | None:
    r"""Add masking and weighting to a score function.

    Parameters
    ----------
    fn : callable or None
        ``fn(y_true, y_pred) -> scores``, one score for each element or row, such as the functions
        of `agnostic_mask.losses`; options are given by `functools.partial`. Functions that
        are declared by `scores` get harmless values in place of excluded inputs. None gives None.
    reduction : {"keras2", "keras3", "mean", "sum", "none"}
        With s the scores, m the mask, w the weights, sums over score elements, |s| their number:

        =========== =========================================================== ==============
        reduction   value                                                       none included
        =========== =========================================================== ==============
        ``keras2``  (sum(w m s)/|s|) / (sum(m)/|m| + epsilon) /                 by the formula
                    (count(w != 0)/|w|), without the factor of what is absent
        ``keras3``  sum(w m s) / count(m != 0), without a mask / |s|            0
        ``mean``    sum(w m s) / sum(w m)                                       NaN
        ``sum``     sum(w m s)                                                  0
        ``none``    w m s, unreduced, 0 where excluded
        =========== =========================================================== ==============

        A denominator of 0, such as weights that sum to 0, gives NaN.
    empty : float, optional
        The value if no element is included, in place of the last column.
    epsilon : float
        Of "keras2": 1e-7 is Keras 2.2.5; 0 is Keras 2.2.0 to 2.2.4.

    Returns
    -------
    Objective or None
        Call it as ``objective(y_true, y_pred, weights=None, mask=None)``; it has the verbs
        ``zero``, ``update``, ``merge`` and ``compute`` for a data set in parts.

    Raises
    ------
    TypeError
        If `fn` is not callable.
    ValueError
        If `reduction` is not one of the above or `epsilon` is negative.

    Notes
    -----
    The formula of "keras2" is `weighted_masked_objective` of Keras 2.2.5
    (keras/engine/training_utils.py). Its denominators count excluded elements too: a weight of
    0 under the mask still changes count(w != 0).

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean")
    >>> y_true = np.asarray([1.0, 2.0, np.nan])
    >>> y_pred = np.asarray([1.0, 4.0, np.inf])
    >>> float(objective(y_true, y_pred, mask=np.asarray([True, True, False])))
    2.0
    """
    if fn is None:
        return None
    if not callable(fn):
        raise TypeError(
            f"fn is a {type(fn).__name__}; expected a function of (y_true, y_pred) that returns "
            f"scores, such as agnostic_mask.losses.squared_error"
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; expected one of {', '.join(REDUCTIONS)}")
    for name, number in (("epsilon", epsilon), ("empty", empty)):
        if not isinstance(number, int | float) and not (name == "empty" and number is None):
            raise TypeError(f"{name} is {number!r}; expected a number")
    if not epsilon >= 0:
        raise ValueError(f"epsilon is {epsilon!r}; expected a number of at least 0")
    return Objective(fn, reduction, empty, epsilon)
