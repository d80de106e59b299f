"""Elements of each group in order, and how many of them lie below a weight.

Elements lie in rows, one for each place along the axes that are kept: shape (..., N). What a group
has one of is of shape (..., G), where G is 1 without groups.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, is_floating, wide_float, wide_integer
from agnostic_mask._reductions._plan import Plan


class Order(NamedTuple):
    """Included elements, group after group, and within a group in increasing order.

    Attributes
    ----------
    values : array, shape (..., N)
    start : array of int, shape (..., G), or 0
        Where each group starts; without groups 0.
    count : array of int, shape (..., G)
        How many elements each group has.
    defined : array of bool, shape (..., G)
        Whether there are elements, and all of them, and their weights, can be put in order.
    below : Below
    """

    values: Array
    start: Any
    count: Array
    defined: Array
    below: "Below"


class Below:
    """How many elements of each group lie below a weight; without weights each weighs 1.

    Attributes
    ----------
    total : array of float, shape (..., G)
        What they weigh in all.
    """

    def __init__(self, p: Plan, count: Array) -> None:
        self.xp, self.d = p.d.xp, p.d
        self.integer = wide_integer(p.d.xp, p.d.device, p.d.backend)
        self.count = count
        self.total = cast(p.d.xp, count, wide_float(p.d.xp, p.d.device, p.d.backend))
        self.rounding: Any = 0.0

    def less(self, weight: Array) -> Array:
        """Number of elements up to which the weights sum to less."""
        return cast(self.xp, self.xp.ceil(weight) - 1, self.integer)  # they sum to 1, 2, 3

    def less_or_equal(self, weight: Array) -> Array:
        """Number of elements up to which the weights sum to no more."""
        return cast(self.xp, self.xp.floor(weight), self.integer)


class _ByWeight(Below):
    """By the sums of weights up to each element."""

    def __init__(self, p: Plan, count: Array, total: Array) -> None:
        super().__init__(p, count)
        if p.weights is not None and is_floating(p.d.xp, p.weights):
            self.rounding = self.total * float(self.xp.finfo(self.total.dtype).eps) * total
        self.total = total

    def less(self, weight: Array) -> Array:
        return self._number(weight - self.rounding, lambda sums, limit: sums < limit)

    def less_or_equal(self, weight: Array) -> Array:
        return self._number(weight + self.rounding, lambda sums, limit: sums <= limit)

    def _number(self, limit: Array, test: Callable[[Array, Array], Array]) -> Array:
        raise NotImplementedError


class _OfRow(_ByWeight):
    """Without groups."""

    def __init__(self, p: Plan, count: Array, weights: Array) -> None:
        self.sums = p.d.backend.cumulative_sum(weights, -1)
        super().__init__(p, count, self.sums[..., -1:])

    def _number(self, limit: Array, test: Callable[[Array, Array], Array]) -> Array:
        passed = self.xp.astype(test(self.sums, limit), self.xp.uint8)
        return self.xp.sum(passed, axis=-1, dtype=self.integer, keepdims=True)


class _OfGroups(_ByWeight):
    """With groups: sums within a group are differences of sums along the row.

    These are sums of integers, so that one group's weights leave no rounding in another's; they
    may wrap around, and their differences are right all the same.
    """

    def __init__(self, p: Plan, count: Array, start: Array, group: Array, weights: Array) -> None:
        self.d, self.xp, self.start, self.group = p.d, p.d.xp, start, group
        sums = p.d.backend.cumulative_sum(weights, -1)
        before = self._at(sums - weights, start)
        self.sums = cast(self.xp, sums - self._of_each(before), wide_float(*p.d))
        total = self._at(self.sums, start + count - 1)
        super().__init__(p, count, self.xp.where(count > 0, total, 0.0))

    def _at(self, x: Array, index: Array) -> Array:
        """Elements of rows; at any place where a group has no element."""
        index = self.xp.where((index < 0) | (index >= x.shape[-1]), 0, index)
        return self.d.backend.take_along_axis(x, index)

    def _of_each(self, x: Array) -> Array:
        """What each element's group has one of; for elements of no group whatever the last has."""
        return self.d.backend.take_along_axis(self.xp.concat([x, x[..., -1:]], axis=-1), self.group)

    def _number(self, limit: Array, test: Callable[[Array, Array], Array]) -> Array:
        passed = cast(self.xp, test(self.sums, self._of_each(limit)), self.integer)
        up_to = self.d.backend.cumulative_sum(passed, -1)
        last = self._at(up_to, self.start + self.count - 1)
        return self.xp.where(self.count > 0, last - self._at(up_to - passed, self.start), 0)


def order(p: Plan) -> Order:
    """Put the included elements of a plan in order."""
    xp, include, grouped = p.d.xp, p.inclusion().include, bool(p.totals.lead)
    keys = _staged.select(xp, include, p.floats(), xp.inf)
    count = p.totals.count(include)
    defined = (count > 0) & ~p.totals.truth(keys != keys, "any")
    count, keys = _of_each_row(p, count), p.rows(keys)
    start: Any = p.d.backend.cumulative_sum(count, -1) - count if grouped else 0
    if not grouped and p.weights is None:
        values = xp.sort(keys, axis=-1, stable=False)
        return Order(values, start, count, _of_each_row(p, defined), Below(p, count))
    places, group = _places(p, keys, include)
    values = p.d.backend.take_along_axis(keys, places)
    if p.weights is None:
        return Order(values, start, count, _of_each_row(p, defined), Below(p, count))
    weights, meant = _weights(p)
    defined = _of_each_row(p, defined & p.totals.truth(meant, "all"))
    weights = weights if group is None else _integers(p, weights)
    weights = p.d.backend.take_along_axis(p.rows(weights), places)
    below: Below
    if group is None:
        below = _OfRow(p, count, weights)
    else:
        below = _OfGroups(p, count, start, group, weights)
    return Order(values, start, count, defined, below)


def _of_each_row(p: Plan, x: Array) -> Array:
    """Totals in the shape (..., G)."""
    lead = p.totals.lead
    shape = (*lead, *p.kept)
    x = p.rows(x if tuple(x.shape) == shape else p.d.xp.broadcast_to(x, shape))
    if not lead:
        return x
    return p.d.xp.permute_dims(x, (*range(1, len(x.shape)), 0))[..., 0, :]


def _places(p: Plan, keys: Array, include: Array | None) -> tuple[Array, Array | None]:
    """Indices that put rows in order, group after group if there are groups, and those."""
    backend = p.d.backend
    places = backend.argsort(keys)
    if not p.totals.lead:
        return places, None
    group = p.rows(p.d.xp.broadcast_to(p.totals.group_of(include), p.shape))
    group = backend.take_along_axis(group, places)
    again = backend.argsort(group, stable=True)
    return backend.take_along_axis(places, again), backend.take_along_axis(group, again)


def _weights(p: Plan) -> tuple[Array, Array]:
    """Weights of all elements, 0 where excluded or not meant, and which can be meant."""
    xp, joint = p.d.xp, p.inclusion()
    weights = _staged.zeroed(p.d, joint.include, joint.factors[0])
    weights = cast(xp, weights, wide_float(xp, p.d.device, p.d.backend))
    weights = xp.broadcast_to(weights, p.shape)
    meant = (weights >= 0) & (weights < xp.inf)
    return xp.where(meant, weights, 0.0), meant


def _integers(p: Plan, weights: Array) -> Array:
    """Weights as integers: as they are, or as shares of their group's sum.

    A share is rounded to far less than the accumulator's eps, which `Below.rounding` allows for.
    """
    xp = p.d.xp
    integer = wide_integer(xp, p.d.device, p.d.backend)
    if p.weights is not None and is_floating(xp, p.weights):
        total = p.totals.plain_sum(weights, weights.dtype)
        total = p.totals.of_each(xp.where(total > 0, total, 1.0))
        unit = 2.0 ** (xp.iinfo(integer).bits - 4)
        weights = xp.round(weights / total * unit)
    return cast(xp, weights, integer)
