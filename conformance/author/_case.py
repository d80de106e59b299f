"""Cases of functions of anybody's."""

import operator
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import Call, Host, spread
from .._environments import Environment
from ..laws import Law, excluded_is_absent
from ._calling import described, first, positional_only, root_of
from ._inputs import Cover, Drawn, Floats, Input, Masks, Weights
from ._right import OracleCase

RESERVED = ("mask", "weights", "by")
"""Names by which laws know what covers inputs."""


class CaseError(TypeError):
    """What a case is made of cannot be checked at all; the message says what to change."""


class FunctionCase(OracleCase):
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
        self._positional = positional_only(fn)
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

    def finite(self) -> list[str]:
        return [name for name, made in self._inputs.items() if isinstance(made, Floats)]

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
        return self.fn(*first(self._positional, named), **named)

    def called(self, name: str) -> str:
        return self._theirs[name]

    def on_host(self, env: Environment, result: Any) -> np.ndarray:
        try:
            found = am.dispatch(result)
        except am.AgnosticMaskError:
            if isinstance(result, int | float | np.generic):
                return np.asarray(result)  # of which `stays_home` says that it is no array
            raise CaseError(f"{self.name} returned {described(result)}") from None
        host = np.array(found.backend.host(result))
        return host.astype("float32") if host.dtype.name == "bfloat16" else host

    def result_dtype(self, dtype: str) -> str:
        return dtype if self._dtype is None else self._dtype

    # -- what is covered ---------------------------------------------------------------

    def covered(self, master: Host) -> list[str]:
        return list(self._over)

    def excludes(self) -> bool:
        return bool(self.mask or self.weights)

    def unmasked(self, exact: Host) -> np.ndarray:
        # Covered inputs have these axes in common; beyond them each may have its own.
        covers = [exact[name].shape for name in ("mask", "weights") if name in exact]
        shape = max(covers, key=len, default=self.shape(exact))
        return spread(exact["mask"], shape) != 0 if "mask" in exact else np.ones(shape, dtype=bool)

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
        file = getattr(sys.modules.get(root_of(self.fn)), "__file__", None) or "<no file>"
        return os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file

    def smooth(self) -> list[str]:
        return list(self.floating)

    def without_excluded(self, exact: Host) -> tuple[Host, Call]:
        """The same inputs, with excluded rows after them: each cover alone excludes one."""
        padded = self._along_rows(exact, lambda x: np.concatenate([x, x[:2]]))
        covers = [name for name in ("mask", "weights") if name in exact]
        for name in covers:
            padded[name][-2:] = 1
        for row, name in zip((-2, -1), covers if len(covers) > 1 else covers * 2, strict=True):
            padded[name][row] = 0
        return padded, self.call

    def with_excluded_steps(self, full: Host) -> Host | None:
        """Inputs of which all is included, with excluded steps along the second axis; or None.

        Where no cover has a second axis, steps cannot be told apart.
        """
        covers = [n for n in ("mask", "weights") if n in full and full[n].ndim > 1]
        if not covers:
            return None
        steps = full[covers[0]].shape[1]
        found = dict(full)
        for name in (*covers, *self._over):
            x = full[name]
            if x.shape[1:2] == (steps,):
                found[name] = np.concatenate([x, x[:, :1]], axis=1)
        for name in covers:
            found[name][:, -1:] = 0
        return found

    def all_included(self, master: Host) -> Host:
        covers = {n: master[n] for n in ("mask", "weights") if n in master}
        return master | {n: np.where(x == 0, np.ones_like(x), x) for n, x in covers.items()}

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
        shape = self.shape(master)
        side = min(shape)
        # The last row of a mask is excluded, and stays: the others may all be included.
        places = [*range(side - 1), -1]
        return {name: _cut(x, shape, places) for name, x in master.items()}

    def long(self, host: Host, times: int) -> Host:
        """Inputs repeated along rows."""
        return self._along_rows(host, lambda x: np.concatenate([x] * times))

    def named(self, host: Host) -> Host:
        """Inputs by the names that the function has for them."""
        return {self._theirs[name]: x for name, x in host.items()}

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


def _inside(name: str, made: Input) -> str:
    """Name by which laws know an input."""
    if isinstance(made, Masks):
        return "mask"
    if isinstance(made, Weights):
        return "weights"
    return f"{name} of theirs" if name in RESERVED else name


def _cut(x: np.ndarray, shape: tuple[int, ...], places: Sequence[int]) -> np.ndarray:
    """An input at these places of each axis that is as long as one of `shape`."""
    for axis, n in enumerate(x.shape):
        if n in shape and n > len(places):
            x = np.take(x, places, axis=axis)
    return x
