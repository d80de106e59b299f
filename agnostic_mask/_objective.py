"""The masked, weighted objective: one wrapper around any score function."""

from dataclasses import dataclass, field
from typing import overload

from agnostic_mask import _staged, _tally
from agnostic_mask._array import Array
from agnostic_mask._declare import Bound, declared
from agnostic_mask._dispatch import resolve
from agnostic_mask._dtypes import cast, is_float64
from agnostic_mask._scoring import Batch, ScoreFunction, score
from agnostic_mask._tally import REDUCTIONS, Reduction, Tally


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
    declaration: Bound | None = field(repr=False, compare=False)

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
        return self.compute(_tally.tally(self.reduction, *batch))

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
        batch = self._score(y_true, y_pred, weights, mask)
        return self.merge(state, _tally.tally(self.reduction, *batch))

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

    def _score(
        self, y_true: Array, y_pred: Array, weights: Array | None, mask: Array | None
    ) -> Batch:
        soft = self.reduction == "keras2"
        return score(self.fn, self.declaration, y_true, y_pred, weights, mask, soft=soft)


def _unreduced(batch: Batch) -> Array:
    d, scores, covers = batch
    with d.backend.wide():
        weighed = _staged.weighed(d, scores, covers.inclusion(d.xp, len(scores.shape)))
        value = cast(d.xp, weighed, scores.dtype)
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
    return Objective(fn, reduction, empty, epsilon, declared(fn))
