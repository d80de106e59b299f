"""Measures of a query: what the ranking of its candidates is worth, whatever the order of ties.

Each is a function of the candidates along the last axis: which are included, their relevance and
their scores, both 0 where excluded. It returns the value of each query and its divisor, or None
where it has none.
"""

from typing import Literal

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, is_floating, wide_float

Gain = Literal["linear", "exponential"]
Measured = tuple[Array, Array | None]


def dcg(
    d: Dispatch, include: Array, y_true: Array, y_pred: Array, /, *, k: int | None, gain: Gain
) -> Measured:
    """Gains times the discounts of their ranks, summed over the first k."""
    ranking = _Ranking(d, include, y_pred)
    gains = _gains(ranking, ranking.ordered(y_true), gain)
    found = ranking.mean_over_ties(gains, _discounts(ranking, k))
    # There is no such relevance, and no measure of what has it.
    below = d.backend.as_array(d.xp.any(y_true < 0, axis=-1))
    return d.xp.where(below, d.xp.nan, found), None


def ndcg(
    d: Dispatch, include: Array, y_true: Array, y_pred: Array, /, *, k: int | None, gain: Gain
) -> Measured:
    """The same, and that of the best order."""
    found, _ = dcg(d, include, y_true, y_pred, k=k, gain=gain)
    best, _ = dcg(d, include, y_true, y_true, k=k, gain=gain)
    return found, best


def precision_at_k(
    d: Dispatch, include: Array, y_true: Array, y_pred: Array, /, *, k: int
) -> Measured:
    """Relevant ones among the first k, divided by k."""
    hits, _ = recall_at_k(d, include, y_true, y_pred, k=k)
    return hits / k, None


def recall_at_k(
    d: Dispatch, include: Array, y_true: Array, y_pred: Array, /, *, k: int
) -> Measured:
    """Relevant ones among the first k, and all of them."""
    ranking = _Ranking(d, include, y_pred)
    relevant = ranking.ordered(y_true > 0)
    first = cast(d.xp, ranking.ranks <= k, ranking.wide)
    return ranking.mean_over_ties(relevant, first), d.xp.sum(relevant, axis=-1)


def average_precision(d: Dispatch, include: Array, y_true: Array, y_pred: Array, /) -> Measured:
    """Precision down to each relevant one and those tied with it, summed; and their number."""
    ranking = _Ranking(d, include, y_pred)
    relevant = ranking.ordered(y_true > 0)
    up_to = d.backend.cumulative_sum
    (of_run,) = ranking.summed(relevant)
    found = ranking.over_runs(of_run * up_to(relevant, -1), up_to(ranking.included, -1))
    return found, d.xp.sum(relevant, axis=-1)


def reciprocal_rank(
    d: Dispatch, include: Array, y_true: Array, y_pred: Array, /, *, k: int | None
) -> Measured:
    """One by the rank of the best relevant one if it is among the first k; 1 if there is one."""
    xp = d.xp
    wide = wide_float(xp, d.device, d.backend)
    relevant = y_true > 0
    best = xp.max(xp.where(relevant, y_pred, -xp.inf), axis=-1, keepdims=True)
    ahead = include & ~relevant & (y_pred >= best)
    rank = 1 + xp.sum(cast(xp, ahead, wide), axis=-1)
    found = 1 / rank
    if k is not None:
        found = xp.where(rank <= k, found, 0.0)
    return found, cast(xp, d.backend.as_array(xp.any(relevant, axis=-1)), wide)


def all_right(d: Dispatch, include: Array, hits: Array, /) -> Measured:
    """1 where every included hit is 1, else 0."""
    right = d.xp.all(~include | (hits == 1), axis=-1)
    return cast(d.xp, d.backend.as_array(right), wide_float(d.xp, d.device, d.backend)), None


class _Ranking:
    """Candidates of each query from the greatest score down, excluded ones at the end.

    Neighbours of equal scores are a run. Excluded candidates may lie in a run of scores of -Inf;
    they have no part in what it sums, for they come after the last rank.

    Attributes
    ----------
    wide : dtype
    ranks : array, shape (K,)
        From 1.
    included : array, shape (..., K)
        1 and 0, in order.
    count : array, shape (..., 1)
        Number of included candidates: the last rank.
    """

    def __init__(self, d: Dispatch, include: Array, y_pred: Array) -> None:
        xp = self.xp = d.xp
        self._backend = d.backend
        self.wide = wide_float(xp, d.device, d.backend)
        keys = xp.where(include, -y_pred, xp.inf)
        self._order = d.backend.argsort(keys)
        keys = d.backend.take_along_axis(keys, self._order)
        end, breaks = xp.ones_like(keys[..., :1], dtype=xp.bool), keys[..., 1:] != keys[..., :-1]
        self._first, self._last = (
            xp.concat([end, breaks], axis=-1),
            xp.concat([breaks, end], axis=-1),
        )
        self.ranks = xp.arange(1, keys.shape[-1] + 1, dtype=self.wide, device=d.device)
        self.included = self.ordered(include)
        self.count = xp.sum(self.included, axis=-1, keepdims=True)

    def ordered(self, x: Array) -> Array:
        """Numbers of candidates, in order."""
        # Widened afterwards: JAX would narrow the derivative of a float64 that is picked.
        x = x if is_floating(self.xp, x) else cast(self.xp, x, self.wide)
        return cast(self.xp, self._backend.take_along_axis(x, self._order), self.wide)

    def summed(self, *arrays: Array) -> list[Array]:
        """Sums from the start of each run to each candidate: at its last, of the run."""
        xp, starts, found = self.xp, self._first, list(arrays)
        step = 1
        # Distances double: what was summed so far before is added, unless a run starts between.
        while step < starts.shape[-1]:
            free = ~starts[..., step:]
            found = [
                xp.concat(
                    [x[..., :step], x[..., step:] + xp.where(free, x[..., :-step], 0.0)], axis=-1
                )
                for x in found
            ]
            starts = xp.concat(
                [starts[..., :step], starts[..., step:] | starts[..., :-step]], axis=-1
            )
            step *= 2
        return found

    def over_runs(self, numbers: Array, divisors: Array) -> Array:
        """Sum over runs of a quotient that the last of each has; 0 where the divisor is 0."""
        xp = self.xp
        quotients = numbers / xp.where(divisors > 0, divisors, 1.0)
        return xp.sum(xp.where(self._last, quotients, 0.0), axis=-1)

    def mean_over_ties(self, values: Array, factors: Array) -> Array:
        """Sum of values times the factors of their ranks, a run's factors shared among it."""
        factors = self.xp.where(self.ranks <= self.count, factors, 0.0)
        of_values, of_factors, size = self.summed(values, factors, self.included)
        return self.over_runs(of_values * of_factors, size)


def _discounts(ranking: _Ranking, k: int | None) -> Array:
    """``1 / log2(rank + 1)`` of each rank, 0 past k."""
    xp = ranking.xp
    found = 1 / xp.log2(ranking.ranks + 1)
    return found if k is None else xp.where(ranking.ranks <= k, found, 0.0)


def _gains(ranking: _Ranking, relevance: Array, gain: Gain) -> Array:
    xp = ranking.xp
    if gain == "linear":
        return relevance
    return xp.pow(xp.full_like(relevance, 2.0), relevance) - 1
