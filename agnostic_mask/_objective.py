"""The masked, weighted objective: one wrapper around any score function."""

from dataclasses import dataclass, field
from typing import cast as typed
from typing import overload

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._declare import name_of
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast
from agnostic_mask._labels import number_of_groups
from agnostic_mask._metric import PairMetric
from agnostic_mask._score_sums import ScoreSums, score_sums
from agnostic_mask._scoring import ScoreFunction
from agnostic_mask._statistic import Arguments
from agnostic_mask._tally import REDUCTIONS, Reduction, Tally


@dataclass(frozen=True)
class Objective(PairMetric):
    """A masked, weighted objective; made by `weighted_masked_objective`, which see.

    Call it for the value of one batch. For a data set in parts, `zero`, `update`, `merge` and
    `compute` give the value of the whole; "none" has no state, and these raise ValueError. It is a
    metric like those of `agnostic_mask.metrics`.
    """

    fn: ScoreFunction
    reduction: Reduction
    empty: float | None
    epsilon: float
    fuse: bool = field(default=False, compare=False)

    def _gathers(self) -> ScoreSums:
        return score_sums(self.fn, self.reduction, fuse=self.fuse)

    def _value(self, d: Dispatch, state: Tally) -> Array:
        value = typed(ScoreSums, self.statistic).finished(d, state, epsilon=self.epsilon)
        return value if self.empty is None else d.xp.where(state.included == 0, self.empty, value)

    def __call__(
        self,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        num_groups: int | None = None,
        threads: int | None = None,
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
        by : array of int, optional
            Label of the group of each score, from 0 to num_groups - 1. Covers leading axes of the
            scores likewise.
        num_groups : int, optional
            Number of groups G; it goes with `by`.
        threads : int, optional
            How many threads go through a large batch, where it is cut into tiles. None: what
            the environment variable AGNOSTIC_MASK_THREADS says, else as many as there are
            processors, at most 4. Results are the same to the bit.

        Returns
        -------
        array, 0-d (the scores' shape under "none")
            In the scores' float type: at least float32. With `by` the value of each group, shape
            (G,); see `compute`.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        """
        n = number_of_groups(by, num_groups)
        batch = Arguments((y_true, y_pred), weights, mask, by, n, threads=threads)
        if self.reduction == "none":
            if by is not None:
                raise ValueError(
                    "by is given, and reduction 'none' keeps every score by itself; expected one "
                    "of 'keras2', 'keras3', 'mean', 'sum'"
                )
            sums = typed(ScoreSums, self.statistic)
            return sums.made_of(batch, self._unreduced)
        return self._of_batch(batch)

    def _unreduced(self, batch: Arguments, fn: ScoreFunction) -> Array:
        d, (scores,), _, _, joint, _ = typed(ScoreSums, self.statistic).scored(batch, fn)
        with d.backend.wide():
            weighed = _staged.weighed(d, scores, joint)
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
    fuse: bool = False,
) -> Objective: ...


@overload
def weighted_masked_objective(
    fn: None,
    *,
    reduction: Reduction = "keras2",
    empty: float | None = None,
    epsilon: float = 1e-7,
    fuse: bool = False,
) -> None: ...


def weighted_masked_objective(
    fn: ScoreFunction | None,
    *,
    reduction: Reduction = "keras2",
    empty: float | None = None,
    epsilon: float = 1e-7,
    fuse: bool = False,
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
    fuse : bool
        Compile what is done with a batch, by `torch.compile` or `jax.jit`, when the first of its
        framework and ranks turns up, which takes seconds; such batches are not cut into tiles. Of
        CuPy arrays the scores are compiled, by `cupy.fuse`.
        Scores may move by a rounding; first derivatives go through. Where there is no compiler, or
        it cannot take `fn`, the batch is computed in the ordinary way, and a `FusionWarning` says
        why, once a framework. Within a trace of the caller's own it changes nothing.

    Returns
    -------
    Objective or None
        Call it as ``objective(y_true, y_pred, weights=None, mask=None)``; it has the verbs
        ``zero``, ``update``, ``merge`` and ``compute`` for a data set in parts.

    Raises
    ------
    TypeError
        If `fn` is not callable, or `fuse` is not a bool.
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
    if not isinstance(fuse, bool):
        raise TypeError(f"fuse is {fuse!r}; expected True or False")
    objective = Objective(fn, reduction, empty, epsilon, fuse)
    declaration = typed(ScoreSums, objective.statistic).declaration
    if reduction == "none" and declaration is not None and declaration.parts is not None:
        raise ValueError(
            f"reduction is 'none', and {name_of(fn)} is a ratio of sums, which has no scores of "
            f"its own; expected one of 'keras2', 'keras3', 'mean', 'sum'"
        )
    return objective
