"""What a metric's oracle is given: the included elements, and how exact things are."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._numbers import Number


class Elements(NamedTuple):
    """Included elements of a batch, in order.

    Attributes
    ----------
    true, pred : list
        Numbers, or a list of numbers for a row along the class axis. Of a metric of one array both
        are its elements.
    weights : list of numbers
    options : mapping
        The metric's options.
    u, acc : number
        Unit roundoff of the result's dtype and of the accumulator's.
    tiny : number
        Least positive number of full precision of the dtype of computation.
    weighted : bool
        Whether weights were given.
    """

    true: list[Any]
    pred: list[Any]
    weights: list[Number]
    options: Mapping[str, Any]
    u: Number
    acc: Number
    tiny: Number
    weighted: bool
