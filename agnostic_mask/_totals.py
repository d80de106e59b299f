"""Totals over a batch: one for the whole of it, one for each group, one for each resample.

Whatever is gathered or reduced is made of a few totals: sums, counts, extremes. `Totals` takes
them, and knows by which labels, and how often, elements have a part in them; the formulas on top do
not.
"""

from typing import Any, Literal, NamedTuple

from agnostic_mask import _cover, _labels, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, is_floating, is_integer, wide_integer
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._staged import Inclusion

Which = Literal["min", "max"]


class Split(NamedTuple):
    """By what totals are told apart.

    Attributes
    ----------
    by : array of int, or None
        Label of the group of each element; covers leading axes.
    num_groups : int
        Labels run from 0 to num_groups - 1.
    repeats : array of int, shape (R, N), or None
        How often each row of the first axis, of length N, is in each of R resamples.
    """

    by: Array | None
    num_groups: int
    repeats: Array | None


class Totals:
    """Totals of arrays of one shape; `Dispatch.backend.wide` must be entered by the caller.

    Parameters
    ----------
    d : Dispatch
    shape : tuple of int
    split : Split, optional
        None: one total.
    axes : tuple of int, optional
        Over which totals are taken; None for all of them. Some axes are not for resamples.

    Attributes
    ----------
    lead : tuple of int
        Shape of the totals: (), (G,), (R,) or (R, G). Where `axes` are given, the shape with
        dimensions of 1 over them follows; a total that is the same along another axis may have a
        dimension of 1 there too.
    """

    def __init__(
        self,
        d: Dispatch,
        shape: Shape,
        split: Split | None = None,
        axes: tuple[int, ...] | None = None,
    ) -> None:
        self.d, self.shape, self.split, self._over = d, shape, split, axes
        self.axes = self._inner = tuple(range(len(shape))) if axes is None else axes
        self._whole = split is None and axes is None
        if split is not None:
            self._tell_apart(split)

    lead: Shape = ()
    _groups: Shape = ()
    _label: Array | None = None
    _repeats: Array | None = None
    _found: tuple[Array, int] | None = None

    def _tell_apart(self, split: Split) -> None:
        d, shape = self.d, self.shape
        self._repeats = split.repeats
        if split.repeats is not None:
            _cover.check_rows("ids", tuple(split.repeats.shape)[1:], "what is resampled", shape)
        if split.by is not None:
            label = _label(d, split.by, split.num_groups, shape)
            self._label = _cover.expand(d.xp, label, len(shape))
            self._groups = (split.num_groups,)
        self._inner = tuple(i for i in self.axes if not self._told_apart(i))
        self._outer = tuple(1 if i in self._inner else n for i, n in enumerate(shape))
        self.lead = self._groups
        if split.repeats is not None:
            self.lead = (split.repeats.shape[0], *self._groups)

    @property
    def _kept(self) -> Shape:
        if self._over is None:
            return ()
        return tuple(1 if i in self.axes else n for i, n in enumerate(self.shape))

    def _told_apart(self, axis: int) -> bool:
        grouped = self._label is not None and self._label.shape[axis] != 1
        return grouped or (self._repeats is not None and axis == 0)

    def once(self) -> "Totals":
        """The same totals without resamples."""
        if self._repeats is None:
            return self
        split = None if self._label is None or self.split is None else self.split
        split = split and split._replace(repeats=None)
        return Totals(self.d, self.shape, split, self._over)

    def for_each_resample(self, x: Array) -> Array:
        """Totals without resamples, the same for each of these."""
        if self._repeats is None:
            return x
        trailing = tuple(x.shape)[len(self._groups) :]
        return self.d.xp.broadcast_to(x, (*self.lead, *trailing))

    # -- totals ------------------------------------------------------------------------

    def weighted_sum(self, x: Array, inclusion: Inclusion) -> Array:
        """Sum of included elements times their factors, in float64; see `_staged.weighted_sum`."""
        if self._whole:
            return _staged.weighted_sum(self.d, x, inclusion, self.axes, keepdims=False)
        return self._collected(_staged.weighted_sum(self.d, x, inclusion, self._inner))

    def sum_of_factors(self, inclusion: Inclusion) -> Array:
        """Sum of the factors of included elements, in float64."""
        d, shape = self.d, self.shape
        if self._whole:
            return _staged.sum_of_factors(d, shape, inclusion, self.axes, keepdims=False)
        return self._collected(_staged.sum_of_factors(d, shape, inclusion, self._inner))

    def count(self, include: Array | None) -> Array:
        """Number of elements that `include` includes, as exact integers."""
        return self.included(Inclusion(include))

    def included(self, inclusion: Inclusion) -> Array:
        """Number of included elements, as exact integers."""
        if self._whole:
            return _staged.count(self.d, self.shape, inclusion, self.axes, keepdims=False)
        return self._collected(_staged.count(self.d, self.shape, inclusion, self._inner))

    def plain_sum(self, x: Array, dtype: Any) -> Array:
        """Sum of all elements, which are 0 where excluded, in `dtype`."""
        partial = _staged.sum_over(self.d, x, self._inner, dtype)
        return self._collected(cast(self.d.xp, partial, dtype))

    def extreme(self, x: Array, which: Which, nothing: Any) -> Array:
        """Least or greatest element; NaN comes through.

        Parameters
        ----------
        x : array, of the totals' shape
            Which holds `nothing` where excluded.
        which : {"min", "max"}
        nothing : float or int
            The total of nothing.
        """
        xp, d = self.d.xp, self.d
        if 0 in self.shape:
            return xp.full((*self.lead, *self._kept), nothing, dtype=x.dtype, device=d.device)
        if self._inner:
            x = d.backend.as_array(getattr(xp, which)(x, axis=self._inner, keepdims=True))
        if not self.lead:
            return x if self._over is not None else self._shaped(x)
        cells, n = self._cells()
        values = xp.reshape(xp.broadcast_to(x, self._outer), (-1,))
        nan = values != values
        if is_floating(xp, x):
            values = xp.where(nan, nothing, values)
        keep = self._size()
        found = self._extreme_by_label(cells, n, keep, values, which, nothing)
        if is_floating(xp, x):
            some = self._sums_by_label(cells, n, keep, xp.astype(nan, x.dtype))
            found = xp.where(some > 0, xp.nan, found)
        return self._shaped(found)

    def truth(self, x: Array, which: Literal["any", "all"]) -> Array:
        """Whether any, or every, element is True.

        Parameters
        ----------
        x : array of bool, of the totals' shape
            Which is False, or True for "all", where excluded.
        which : {"any", "all"}
        """
        xp, d = self.d.xp, self.d
        if self.lead and 0 in self.shape:
            shape = (*self.lead, *self._kept)
            return xp.full(shape, which == "all", dtype=xp.bool, device=d.device)
        if self._inner:
            x = d.backend.as_array(getattr(xp, which)(x, axis=self._inner, keepdims=True))
        if not self.lead:
            return x if self._over is not None else self._shaped(x)
        cells, n = self._cells()
        found = xp.reshape(xp.broadcast_to(x, self._outer), (-1,))
        found = found if which == "any" else ~found
        keep = self._size()
        some = self._sums_by_label(xp.where(found, cells, keep), n, keep, None) > 0
        return self._shaped(some if which == "any" else ~some)

    def by_cell(self, cell: Array, n: int, counted: Array, values: Array | None) -> Array:
        """How many elements are in each cell, or the sum of their values.

        Parameters
        ----------
        cell : array of int, of the totals' shape
            From 0 to n - 1, where counted.
        n : int
        counted : array of bool, of the same shape
        values : array of float, optional, of the same shape
            0 where not counted.

        Returns
        -------
        array, shape (*lead, n)
            Dtype of `values`, else int64.
        """
        xp, d = self.d.xp, self.d
        integer = wide_integer(xp, d.device, d.backend)
        dtype = integer if values is None else values.dtype
        if 0 in self.shape:
            return xp.zeros((*self.lead, n), dtype=dtype, device=d.device)
        if self._label is not None:
            cell = self._label * n + cell
            counted = counted & (self._label < self._groups[0])
        keep = _cover.size(self._groups) * n
        # What is in no cell has a number of its own, which is dropped.
        cells = xp.reshape(xp.where(counted, cell, keep), (-1,))
        values = None if values is None else xp.reshape(values, (-1,))
        sums = self._sums_by_label(cells, keep + 1, keep, values)
        return d.backend.as_array(xp.reshape(cast(xp, sums, dtype), (*self.lead, n)))

    def membership(self, include: Array | None) -> dict[str, Array]:
        """Fields that the state of a grouped batch has besides; none if it is not grouped."""
        if self._label is None or self.split is None:
            return {}
        return {"members": self.count(include), "outside": self.outside(include)}

    def group_of(self, include: Array | None) -> Array:
        """Group of each element; one more than there are where excluded, or in none."""
        assert self._label is not None
        return _staged.select(self.d.xp, include, self._label, self._groups[0])

    def outside(self, include: Array | None) -> Array:
        """How many included elements are in no group; without the axis of groups."""
        assert self._label is not None
        assert self.split is not None
        outside = _staged.among(include, self._label == self._groups[0])
        split = self.split._replace(by=None)
        return Totals(self.d, self.shape, split, self._over).count(outside)

    def of_each(self, x: Array) -> Array:
        """The total that each element has a part in, broadcastable to the totals' shape.

        For elements of no group 1, by which one can divide.
        """
        if self._label is None:
            return x
        xp = self.d.xp
        cells, n = self._cells()
        flat = xp.reshape(x, (-1,))
        spare = xp.ones((n - flat.shape[0],), dtype=x.dtype, device=self.d.device)
        found = self.d.backend.take(xp.concat((flat, spare)), cells)
        return xp.reshape(found, self._outer)

    # -- by label ------------------------------------------------------------------------

    def _size(self) -> int:
        return _cover.size(self._groups) * _cover.size(self._kept)

    def _shaped(self, x: Array) -> Array:
        return self.d.backend.as_array(self.d.xp.reshape(x, (*self.lead, *self._kept)))

    def _cells(self) -> tuple[Array, int]:
        """Cell of each element that is told apart, flat, and their number with those to be dropped.

        Cells are counted group by group; those of elements of no group come last.
        """
        if self._found is not None:
            return self._found
        xp, d = self.d.xp, self.d
        integer = _labels.index_dtype(d)
        cell = self._label
        if cell is None:
            cell = xp.zeros((1,) * len(self.shape), dtype=integer, device=d.device)
        together = _cover.size(self._kept)
        cell, step = cell * together, 1
        for i in reversed(range(len(self.shape))):
            if i not in self.axes:
                along = tuple(n if i == j else 1 for j, n in enumerate(self.shape))
                steps = xp.arange(self.shape[i], dtype=integer, device=d.device) * step
                cell = cell + xp.reshape(steps, along)
                step = step * self.shape[i]
        flat = xp.reshape(xp.broadcast_to(cell, self._outer), (-1,))
        self._found = flat, (_cover.size(self._groups) + 1) * together
        return self._found

    def _collected(self, partial: Array) -> Array:
        """Sums of what was summed over the axes along which nothing is told apart."""
        xp, d = self.d.xp, self.d
        if not self.lead:
            return partial if self._over is not None else self._shaped(partial)
        if 0 in self.shape:
            shape = (*self.lead, *self._kept)
            return xp.zeros(shape, dtype=partial.dtype, device=d.device)
        values = xp.reshape(xp.broadcast_to(partial, self._outer), (-1,))
        if self._label is None:
            return self._shaped(self._resampled(values))
        cells, n = self._cells()
        sums = self._sums_by_label(cells, n, self._size(), values)
        return self._shaped(cast(xp, sums, partial.dtype))

    def _resampled(self, values: Array) -> Array:
        """Sum over the rows, each as often as it is in a resample; shape (R,)."""
        xp = self.d.xp
        repeats = cast(xp, self._repeats, values.dtype)
        values = xp.expand_dims(values, axis=0)
        if is_floating(xp, values):
            return self.d.backend.products(repeats, values)[:, 0]
        return xp.sum(repeats * values, axis=1, dtype=values.dtype)

    def _in_resamples(self, cells: Array, n: int) -> tuple[Array, Array, int]:
        """Cells of all elements in all resamples, and how often they are in them."""
        xp, d, repeats = self.d.xp, self.d, self._repeats
        assert repeats is not None
        r, rows = repeats.shape
        steps = xp.reshape(xp.arange(r, dtype=cells.dtype, device=d.device) * n, (r, 1, 1))
        own = xp.reshape(cells, (1, rows, -1))
        often = xp.broadcast_to(xp.expand_dims(repeats, axis=2), (r, rows, own.shape[2]))
        return xp.reshape(own + steps, (-1,)), often, r

    def _sums_by_label(self, cells: Array, n: int, keep: int, values: Array | None) -> Array:
        """Sums, or counts, of the first `keep` of n cells; shape (keep,) or (R, keep)."""
        xp, d = self.d.xp, self.d
        if self._repeats is None:
            return d.backend.sum_by_label(cells, n, values)[:keep]
        cells, often, r = self._in_resamples(cells, n)
        if values is None:
            values = cast(xp, often, wide_integer(xp, d.device, d.backend))
        else:
            own = xp.reshape(values, (1, often.shape[1], -1))
            values = cast(xp, often, values.dtype) * own
        sums = d.backend.sum_by_label(cells, r * n, xp.reshape(values, (-1,)))
        return xp.reshape(sums, (r, n))[:, :keep]

    def _extreme_by_label(
        self, cells: Array, n: int, keep: int, values: Array, which: Which, nothing: Any
    ) -> Array:
        xp, d = self.d.xp, self.d
        if self._repeats is None:
            return d.backend.extreme_by_label(cells, n, values, which, nothing)[:keep]
        cells, often, r = self._in_resamples(cells, n)
        own = xp.reshape(values, (1, often.shape[1], -1))
        there = xp.reshape(xp.where(often > 0, own, nothing), (-1,))
        found = d.backend.extreme_by_label(cells, r * n, there, which, nothing)
        return xp.reshape(found, (r, n))[:, :keep]


def _label(d: Dispatch, by: Array, n: int, shape: Shape) -> Array:
    """Labels as indices, the number of groups where they are out of range."""
    xp = d.xp
    if not is_integer(xp, by):
        raise UnsupportedArrayError(
            f"by has dtype {by.dtype}; expected integer labels of groups, from 0 to {n - 1}. "
            f"Number other values first: numpy.unique(x, return_inverse=True)[1]"
        )
    _cover.check_covers("by", tuple(by.shape), "what is grouped", shape)
    inside, label = _labels.below(d, by, n)
    return xp.where(inside, label, n)
