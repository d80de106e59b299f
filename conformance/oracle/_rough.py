"""Numbers that carry how far off a computed value may be, to first order."""

from collections.abc import Iterable
from typing import NamedTuple

from ._numbers import Number, mp


class Rough(NamedTuple):
    """A value in higher precision, and the error of what accumulators make of it.

    Attributes
    ----------
    value, error : number
        The value, and the largest error that went into it. Errors of errors are left out.
    acc : number
        Unit roundoff of each operation.
    """

    value: Number
    error: Number
    acc: Number

    def _of(self, value: Number, error: Number) -> "Rough":
        return Rough(value, error + self.acc * abs(value), self.acc)

    def plus(self, other: "Rough") -> "Rough":
        """Sum of both."""
        return self._of(self.value + other.value, self.error + other.error)

    def minus(self, other: "Rough") -> "Rough":
        """Difference of both."""
        return self._of(self.value - other.value, self.error + other.error)

    def times(self, other: "Rough") -> "Rough":
        """Product of both."""
        error = abs(self.value) * other.error + abs(other.value) * self.error
        return self._of(self.value * other.value, error)

    def scaled(self, factor: Number) -> "Rough":
        """Product with an exact number."""
        return self._of(self.value * factor, self.error * abs(mp.mpf(factor)))

    def over(self, other: "Rough", otherwise: Number = mp.nan) -> "Rough":
        """Quotient of both; an exact value where the divisor is 0."""
        if other.value == 0:
            return Rough(mp.mpf(otherwise), mp.mpf(0), self.acc)
        value = self.value / other.value
        return self._of(value, (self.error + abs(value) * other.error) / abs(other.value))

    def root(self) -> "Rough":
        """Square root, NaN of a negative number."""
        if self.value < 0:
            return Rough(mp.nan, mp.mpf(0), self.acc)
        value = mp.sqrt(self.value)
        # Near 0 the root of what is off by the error is off by its root.
        error = min(mp.sqrt(self.error), self.error / value) if value else mp.sqrt(self.error)
        return self._of(value, error)

    def within(self, least: int, most: int) -> "Rough":
        """The same, no further than its ends."""
        value = self.value
        return self if mp.isnan(value) else self._replace(value=min(max(value, least), most))


def summed(terms: Iterable[Rough], acc: Number) -> Rough:
    """Sum of rough numbers, in any order."""
    found = list(terms)
    absolute = mp.fsum(abs(t.value) for t in found)
    error = mp.fsum(t.error for t in found) + len(found) * acc * absolute
    return Rough(mp.fsum(t.value for t in found), error, acc)


def summed_exact(terms: Iterable[Number], acc: Number) -> Rough:
    """Sum of exact numbers, in any order."""
    return summed((Rough(t, mp.mpf(0), acc) for t in terms), acc)
