"""What is right of a case, and how far off it a right function may be."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from .._case import CoveredCase, Host
from .._reference import Reference, roundoff
from .._slopes import directions, slopes
from ._calling import of_inputs
from ._precision import condition, least, unit, widest

LARGEST = {name: float(np.finfo(name).max) for name in ("float16", "float32", "float64")}
LARGEST["bfloat16"] = float(2.0**128 - 2.0**119)
"""Largest number of a result's dtype, where oracles have larger ones."""

DRAWS = 4
"""Random directions in which the inputs are moved, to see how far derivatives move."""


class OracleError(ValueError):
    """The oracle of a case, or what stands in for it, gives nothing to compare with."""


class OracleCase(CoveredCase):
    """A case with an oracle, or else the same code in higher precision.

    Attributes
    ----------
    oracle : callable or None
    """

    oracle: Callable[..., Any] | None
    _terms: Callable[..., Any] | None
    _dtype: str | None
    _roundings: int

    @abstractmethod
    def named(self, host: Host) -> Host:
        """Inputs by the names that the function has for them."""

    @abstractmethod
    def long(self, host: Host, times: int) -> Host:
        """Inputs repeated along rows."""

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        return self._reference(exact, dtype, self._size(exact) * roundoff(dtype))

    def reference_of_long(self, exact: Host, dtype: str, times: int) -> Reference:
        """What is right of inputs repeated along rows, of sums accumulated in float64."""
        sums = times * self._size(exact) * roundoff("float64")
        return self._reference(exact, dtype, sums, lambda host: self.long(host, times))

    def _size(self, exact: Host) -> int:
        return max((exact[name].size for name in self.floating), default=1)

    def _reference(
        self,
        exact: Host,
        dtype: str,
        of_sums: float,
        prepared: Callable[[Host], Host] = lambda host: host,
    ) -> Reference:
        def value(host: Host) -> np.ndarray:
            return self._value(prepared(host), dtype)

        wide = {name: widest(x, dtype) for name, x in exact.items()}
        floating = [n for n in self.floating if wide[n].dtype.kind == "f"]
        here = value(wide)
        _refuse_nan(self, here, exact)
        if self._terms is None:
            terms = condition(value, wide, floating)
        else:
            terms = self._given_terms(prepared(wide), here)
        own = self._roundings * roundoff(dtype) + of_sums
        theirs = unit(here) * (self._roundings + self._size(exact))
        rule = dtype if self._dtype in (None, "default") else self._dtype
        rounded = roundoff(rule) if rule.startswith(("float", "bfloat")) else 0.0
        bound = (own + theirs) * terms
        if rounded:
            # Numbers on the way may be large where the inputs hardly matter: 1 / (1 + exp(-x)).
            steps = rounded + self._roundings * roundoff(dtype)
            bound = bound + steps * abs(here) + self._roundings * least(dtype)
        if rule in LARGEST:
            # Beyond the largest number the right result is infinite.
            here = np.where(abs(here) > LARGEST[rule], np.copysign(np.inf, here), here)
        return Reference(here, np.where(np.isnan(bound), np.inf, bound).astype(float))

    def _given_terms(self, wide: Host, here: np.ndarray) -> np.ndarray:
        assert self._terms is not None
        terms = np.asarray(of_inputs(self._terms, self.named(wide)), dtype=float)
        if terms.shape not in ((), here.shape) or not (terms >= 0).all():
            raise OracleError(
                f"terms, of {self.name}, gave {terms!s} of shape {terms.shape}; expected numbers "
                f"of at least 0, of the result's shape {here.shape} or one for all"
            )
        return terms.astype(here.dtype)

    def _value(self, wide: Host, dtype: str) -> np.ndarray:
        """What the oracle, or else the same code in higher precision, says."""
        what = "the same code in higher precision" if self.oracle is None else "its oracle"
        try:
            with np.errstate(all="ignore"):
                if self.oracle is None:
                    found = self.call(wide)
                else:
                    found = of_inputs(self.oracle, self.named(wide))
                value = np.asarray(found)
                if value.dtype.kind == "O":  # numbers of mpmath, fractions
                    value = np.vectorize(float, otypes=[float])(value)
        except Exception as error:
            given = ", ".join(f"{n}: {x.dtype} {x.shape}" for n, x in self.named(wide).items())
            raise OracleError(
                f"{what}, of {self.name}, raised {type(error).__name__}: {error}. It was given "
                f"NumPy arrays by name ({given}) and must return a number or an array of the "
                f"result's shape{'; give an oracle' if self.oracle is None else ''}"
            ) from error
        if value.dtype.kind not in "biuf":
            raise OracleError(
                f"{what}, of {self.name}, returned {value!r}; expected real numbers or booleans"
            )
        return value

    def slopes(self, name: str, exact: Host, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        return self._slopes(name, exact, dtype, {n: widest(x, dtype) for n, x in exact.items()})

    def _slopes(
        self, name: str, exact: Host, dtype: str, wide: Host
    ) -> tuple[np.ndarray, np.ndarray]:
        here = self._value(wide, dtype)
        # Places without a number have no derivative either.
        factors, there = directions(here.shape), here == here

        def value(x: np.ndarray) -> Any:
            return np.sum(self._value({**wide, name: x}, dtype) * factors, where=there)

        x = wide[name]
        sizes = np.where(x == 0, np.max(abs(x), initial=0) or 1, abs(x))
        return slopes(value, x, self.live(name, exact), step=sizes * 2.0**-17, tolerance=1e-3)

    def slopes_bound(self, name: str, exact: Host, dtype: str) -> np.ndarray:
        """Roundings times the condition of each derivative, ``sum(|x_j d2f/dx_i dx_j|)``.

        That is estimated by derivatives at inputs whose elements are moved up or down at random:
        the mean square of what this makes is the sum of the squares, and the sum of n numbers is
        at most the root of n times that of their squares' sum.
        """
        wide = {n: widest(x, dtype) for n, x in exact.items()}
        rng, step = self.rng(0), 2.0**-14
        here, smooth = self._slopes(name, exact, dtype, wide)
        squares = np.zeros(here.shape)
        for _ in range(DRAWS):
            moved = dict(wide)
            for n in self.floating:
                up_or_down = rng.choice([-1.0, 1.0], wide[n].shape)
                moved[n] = np.asarray(wide[n] * (1 + step * up_or_down))
            there, smooth_there = self._slopes(name, exact, dtype, moved)
            change = np.where(smooth & smooth_there, there - here, 0.0) / step
            squares += change.astype(float) ** 2
        size = sum(wide[n].size for n in self.floating)
        condition = np.sqrt(size * squares / DRAWS)
        return np.asarray(self._roundings * roundoff(dtype) * condition)


def _refuse_nan(case: OracleCase, value: np.ndarray, exact: Host) -> None:
    clean = all(np.isfinite(x).all() and x.size for x in exact.values() if x.dtype.kind == "f")
    if case.shape(exact)[:1] in ((0,), (1,)):
        return  # there is no variance of a single row
    if not clean or value.dtype.kind != "f" or not np.isnan(value).any():
        return
    if case.oracle is not None and not np.isnan(value).all():
        return  # places for which the oracle itself says that there is no number
    if case.included(exact).any():
        source = "same code in higher precision" if case.oracle is None else "oracle"
        raise OracleError(
            f"the {source} of {case.name} gives NaN for inputs without NaN; keep the inputs within "
            f"the domain (low=, high= of c.floats), or correct the oracle"
        )
