"""Cases of functions of anybody's."""

import functools
import inspect
import operator
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import Call, CoveredCase, Host, spread
from .._environments import Environment
from .._reference import Reference, roundoff
from .._slopes import directions, slopes
from ..laws import Law, excluded_is_absent
from ._inputs import Cover, Drawn, Input, Masks, Weights
from ._precision import condition, least, unit, widest

LARGEST = {name: float(np.finfo(name).max) for name in ("float16", "float32")}
"""Largest number of a result's dtype, where oracles have larger ones."""

RESERVED = ("mask", "weights", "by")
"""Names by which laws know what covers inputs."""


class OracleError(ValueError):
    """The oracle of a case, or what stands in for it, gives nothing to compare with."""


class FunctionCase(CoveredCase):
    """A function of anybody's, its inputs, its oracle and its laws; made by `case`.

    Attributes
    ----------
    laws : tuple of Law
        Those that are checked, in order.
    """

    casts_halves = False
    numpy_scalars = True
    exact_slopes = False
    by_itself = True

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str,
        inputs: Mapping[str, Input],
        options: Mapping[str, Any],
        laws: Sequence[Law],
        objections: Mapping[str, str],
        *,
        oracle: Callable[..., Any] | None,
        terms: Callable[..., Any] | None,
        dtype: str | None,
        roundings: int,
    ) -> None:
        self.fn, self.options, self.laws, self.oracle = fn, dict(options), tuple(laws), oracle
        self.name = self.group = self.covers = name
        self._terms, self._dtype, self._roundings = terms, dtype, roundings
        self._objections = objections
        self._positional = _positional_only(fn)
        self._theirs = {_inside(name, made): name for name, made in inputs.items()}
        self._inputs = {_inside(name, made): made for name, made in inputs.items()}
        covers = [made for made in inputs.values() if isinstance(made, Cover)]
        self._over = tuple(dict.fromkeys(self._known(n) for cover in covers for n in cover.over))
        self.mask = "mask" if "mask" in self._inputs else None
        self.weights = "weights" if "weights" in self._inputs else None
        # Weights alone do not say so: the derivative of an ordinary mean by a weight of 0 is not 0.
        self.absent = self.mask is not None or excluded_is_absent in self.laws
        laid = self._inputs.get("weights")
        self.kind = laid.kind if isinstance(laid, Weights) else ""
        self.floating = tuple(n for n, made in self._inputs.items() if made.floating)

    def _known(self, theirs: str) -> str:
        return next(inside for inside, name in self._theirs.items() if name == theirs)

    # -- inputs ----------------------------------------------------------------------

    @property
    def searches(self) -> bool:
        """Whether inputs come from strategies of hypothesis, which looks for the worst."""
        return any(isinstance(made, Drawn) for made in self._inputs.values())

    def inputs(
        self,
        rng: np.random.Generator,
        shape: tuple[int, ...] = (),
        draw: Callable[[Any], Any] | None = None,
    ) -> Host:
        """Inputs made from a seed and, where there are strategies, by `draw`."""
        found: Host = {}
        before: Host = {}
        for inside, made in sorted(self._inputs.items(), key=lambda x: isinstance(x[1], Cover)):
            theirs = self._theirs[inside]
            if isinstance(made, Drawn):
                assert draw is not None  # a search gives it, by which such cases are run
                array = made.drawn(theirs, draw)
            else:
                array = made.made(rng, before)
            found[inside] = before[theirs] = array
        return {inside: found[inside] for inside in self._inputs}

    def degenerate(self, master: Host, rng: np.random.Generator) -> Iterator[tuple[str, Host]]:
        for rows, what in ((1, "a single row"), (0, "no rows")):
            cut = operator.itemgetter(slice(rows))
            yield f"of {what} the result", self._along_rows(master, cut)
        covers: Host = {n: np.zeros_like(master[n]) for n in RESERVED if n in master}
        if covers and self.absent:
            yield "of rows that are all excluded the result", master | covers

    def _along_rows(self, host: Host, change: Callable[[np.ndarray], np.ndarray]) -> Host:
        """Inputs, those with an axis of rows changed."""
        rows = self._rows(host)
        return {n: change(x) if x.shape[:1] == (rows,) else x for n, x in host.items()}

    def _rows(self, host: Host) -> int:
        shape = self.shape(host)
        return shape[0] if shape else -1

    # -- calls -----------------------------------------------------------------------

    def call(self, arrays: Mapping[str, Any]) -> Any:
        named = {self._theirs[name]: x for name, x in arrays.items()} | self.options
        positional = [named.pop(name) for name in self._positional if name in named]
        return self.fn(*positional, **named)

    def called(self, name: str) -> str:
        return self._theirs[name]

    def on_host(self, env: Environment, result: Any) -> np.ndarray:
        try:
            found = am.dispatch(result)
        except am.AgnosticMaskError:
            if isinstance(result, int | float | np.generic):
                return np.asarray(result)  # of which `stays_home` says that it is no array
            raise TypeError(
                f"{self.name} returned a {type(result).__name__}; expected one array. Make a case "
                f"of a function that returns one of its arrays: lambda x: f(x)[0]"
            ) from None
        host = np.array(found.backend.host(result))
        return host.astype("float32") if host.dtype.name == "bfloat16" else host

    def result_dtype(self, dtype: str) -> str:
        return dtype if self._dtype is None else self._dtype

    # -- what is covered ---------------------------------------------------------------

    def covered(self, master: Host) -> list[str]:
        return list(self._over)

    def excludes(self) -> bool:
        return bool(self.mask or self.weights)

    def live(self, name: str, exact: Host) -> np.ndarray:
        if self.absent and name in ("weights", *self._over):
            return super().live(name, exact)
        return np.ones(exact[name].shape, dtype=bool)  # which nothing covers, or makes absent

    def over(self, elements: np.ndarray, x: np.ndarray) -> np.ndarray:
        beyond = tuple(range(x.ndim, elements.ndim))
        return spread(np.asarray(elements.any(axis=beyond) if beyond else elements), x.shape)

    def shape(self, exact: Host) -> tuple[int, ...]:
        first = self._over[0] if self._over else next(iter(self.floating or self._inputs))
        return exact[first].shape

    def home(self) -> str:
        root = str(getattr(_unwrapped(self.fn), "__module__", "")).partition(".")[0]
        file = getattr(sys.modules.get(root), "__file__", None) or "<no file>"
        return os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file

    def smooth(self) -> list[str]:
        return list(self.floating)

    def without_excluded(self, exact: Host) -> tuple[Host, Call]:
        """The same inputs, with excluded rows after them."""
        padded = self._along_rows(exact, lambda x: np.concatenate([x, x[:2]]))
        for name in ("mask", "weights"):
            if name in exact:
                padded[name][len(exact[name]) :] = 0
        return padded, self.call

    def repeated(self, exact: Host) -> tuple[Host, Call]:
        counts = exact["weights"]
        repeated = self._along_rows(exact, lambda x: np.repeat(x, counts, axis=0))
        return {**repeated, "weights": np.ones_like(repeated["weights"])}, self.call

    def spelled_out(self, master: Host) -> Iterator[tuple[str, Host]]:
        """Inputs with a mask or weights at full shape, instead of leading axes, and its name."""
        for name in ("mask", "weights"):
            if name in master and master[name].ndim < len(self.shape(master)):
                whole = np.array(spread(master[name], self.shape(master)))
                yield self._theirs[name], {**master, name: whole}

    def square(self, master: Host) -> Host:
        """Inputs with as many steps as rows, so that what is aligned from the right would fit."""
        rows, *steps = self.shape(master)[:2]
        side = min(rows, *steps)
        # The last row of a mask is excluded, and stays: the others may all be included.
        places = [*range(side - 1), -1]
        cut = self._along_rows(master, operator.itemgetter(places))
        for name in ("mask", "weights", *self._over):
            if name in cut and steps and cut[name].shape[1:2] == tuple(steps):
                cut[name] = cut[name][:, places]
        return cut

    # -- what is right -----------------------------------------------------------------

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        return self._reference(exact, dtype, self._size(exact) * roundoff(dtype))

    def reference_of_long(self, exact: Host, dtype: str, times: int) -> Reference:
        """What is right of inputs repeated along rows, of sums accumulated in float64."""
        sums = times * self._size(exact) * roundoff("float64")
        return self._reference(exact, dtype, sums, lambda host: self.long(host, times))

    def long(self, host: Host, times: int) -> Host:
        """Inputs repeated along rows."""
        return self._along_rows(host, lambda x: np.concatenate([x] * times))

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
            terms = np.asarray(
                _of_inputs(self._terms, self.named(prepared(wide))), dtype=here.dtype
            )
        own = self._roundings * roundoff(dtype) + of_sums
        theirs = unit(here) * (self._roundings + self._size(exact))
        rule = self.result_dtype(dtype)
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

    def named(self, host: Host) -> Host:
        """Inputs by the names that the function has for them."""
        return {self._theirs[name]: x for name, x in host.items()}

    def _value(self, wide: Host, dtype: str) -> np.ndarray:
        """What the oracle, or else the same code in higher precision, says."""
        what = "the same code in higher precision" if self.oracle is None else "its oracle"
        try:
            with np.errstate(all="ignore"):
                if self.oracle is None:
                    found = self.call(wide)
                else:
                    found = _of_inputs(self.oracle, self.named(wide))
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
        wide = {n: widest(x, dtype) for n, x in exact.items()}
        factors = directions(self._value(wide, dtype).shape)

        def value(x: np.ndarray) -> Any:
            return np.sum(self._value({**wide, name: x}, dtype) * factors)

        return slopes(value, wide[name], self.live(name, exact), step=2.0**-17, tolerance=1e-3)

    # -- laws --------------------------------------------------------------------------

    def as_test(self) -> Callable[[], None]:
        """A function that pytest collects: ``test_of_mine = case.as_test()``.

        With the plugin ``agnostic_mask.conformance.plugin`` each law, environment and float type
        is a test of its own; without it all of them are one.
        """

        def test() -> None:
            from ._report import report  # which runs cases, and so imports this

            found = report(self)
            if found.failed:
                raise AssertionError(f"{found}")

        test.conformance_case = self  # type: ignore[attr-defined]
        return test

    def why_not(self, law: str) -> str | None:
        return self._objections.get(law)


def _refuse_nan(case: FunctionCase, value: np.ndarray, exact: Host) -> None:
    clean = all(np.isfinite(x).all() and x.size for x in exact.values() if x.dtype.kind == "f")
    if case.shape(exact)[:1] in ((0,), (1,)):
        return  # there is no variance of a single row
    if not clean or value.dtype.kind != "f" or not np.isnan(value).any():
        return
    if case.included(exact).any():
        source = "same code in higher precision" if case.oracle is None else "oracle"
        raise OracleError(
            f"the {source} of {case.name} gives NaN for inputs without NaN; keep the inputs within "
            f"the domain (low=, high= of c.floats), or correct the oracle"
        )


def _inside(name: str, made: Input) -> str:
    """Name by which laws know an input."""
    if isinstance(made, Masks):
        return "mask"
    if isinstance(made, Weights):
        return "weights"
    return f"{name} of theirs" if name in RESERVED else name


def _of_inputs(fn: Callable[..., Any], named: Host) -> Any:
    """What a function gives of inputs by name, and of a single one by position."""
    if len(named) == 1:
        return fn(*named.values())
    named = dict(named)
    positional = [named.pop(name) for name in _positional_only(fn) if name in named]
    return fn(*positional, **named)


def _positional_only(fn: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # of some functions in C
        return []
    return [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]


def name_of(fn: Callable[..., Any]) -> str:
    """Name of a function, of a partial one that of what it calls."""
    fn = _unwrapped(fn)
    return str(getattr(fn, "__name__", type(fn).__name__))


def _unwrapped(fn: Any) -> Any:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn
