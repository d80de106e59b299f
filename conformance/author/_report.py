"""Run cases right away, without pytest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import agnostic_mask as am

from .. import laws as ours
from .. import reports
from .._choice import check_dtypes, chosen_backends
from .._environments import Environment, environments
from .._ledger import Ledger
from .._row import FAILED, Row
from .._run import Outcome, float_types
from ..laws import Law, Run
from ._case import FunctionCase
from ._search import check


@dataclass(frozen=True)
class Report:
    """What came of some cases; printed, a matrix and what failed.

    Attributes
    ----------
    rows : tuple of Row
        One for each case, law, environment and float type.
    seed : int
        Of the inputs.
    not_run : dict of str to str
        Backends that cannot run here, with the reason of each.
    """

    rows: tuple[Row, ...]
    seed: int
    not_run: dict[str, str]

    @property
    def failed(self) -> int:
        """Number of rows in which a law does not hold."""
        return sum(row.outcome == FAILED for row in self.rows)

    def __str__(self) -> str:
        return reports.matrix(self.rows, self.not_run)

    def write(self, path: str | Path) -> None:
        """Write every row to a JSON file, whole or not at all."""
        reports.write(Path(path), self._data())

    def markdown(self) -> str:
        """The same for a pull request."""
        return reports.markdown(self._data())

    def _data(self) -> dict[str, Any]:
        return reports.as_data(self.rows, seed=self.seed, not_run=self.not_run)


def report(
    *cases: FunctionCase,
    backends: Sequence[str] | None = None,
    dtypes: Sequence[str] = ("float32", "float64"),
    laws: Sequence[Law] | None = None,
    seed: int = 0,
    ledger: str | Path | None = None,
) -> Report:
    """Check cases under their laws on every backend that runs here.

    Parameters
    ----------
    *cases : FunctionCase
    backends : sequence of str, optional
        Names; all that can run here by default.
    dtypes : sequence of str
        Float types, of "float16", "bfloat16", "float32", "float64".
    laws : sequence of Law, optional
        Those of the cases' laws that are checked; all by default.
    seed : int
        Of the inputs.
    ledger : str or path, optional
        A file of known deviations.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If a backend or a float type does not exist (the message names the nearest), nothing is
        left to check, or the ledger is not as it should be.
    TypeError
        If what came is no case, or one name where a list is expected.
    """
    for case in cases:
        if not isinstance(case, FunctionCase):
            raise TypeError(f"a {type(case).__name__} came; expected cases, made by c.case")
    for name, count in Counter(case.name for case in cases).items():
        if count > 1:
            raise ValueError(f"{count} cases are called {name}; give each a name of its own: name=")
    for name, value in (("backends", backends), ("dtypes", dtypes)):
        if isinstance(value, str):
            raise TypeError(f"{name}={value!r}: expected a list of names: {name}=[{value!r}]")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r}: expected an integer of at least 0")
    chosen, not_run = chosen_backends(backends)
    check_dtypes(dtypes)
    known = Ledger() if ledger is None else Ledger.load(ledger)
    probes = am.available_backends()
    rows = []
    for outcome in _outcomes(cases, environments(chosen), dtypes, laws, seed):
        row = known.judge(outcome.row, probes[outcome.row.backend].version, outcome.error)
        rows.append(replace(row, command=_repeat(row, seed)) if row.outcome == FAILED else row)
    if not rows:
        raise ValueError(
            f"nothing to check: {len(cases)} cases, with these laws and float types "
            f"{list(dtypes)}, on {chosen}"
        )
    return Report(tuple(rows), seed, not_run)


def _outcomes(
    cases: Sequence[FunctionCase],
    envs: Sequence[Environment],
    dtypes: Sequence[str],
    laws: Sequence[Law] | None,
    seed: int,
) -> Iterator[Outcome]:
    for case in cases:
        references: dict[Any, Any] = {}
        for i, env in enumerate(envs):
            for dtype in float_types(case, env, dtypes):
                trial = Run(case, env, dtype, seed, references, envs[:i])
                for law in case.laws:
                    if laws is None or law in laws:
                        yield check(law, trial)


def _repeat(row: Row, seed: int) -> str:
    """What to write in Python for the same again."""
    own = f"c.{row.law}" if row.law in ours.__all__ else row.law
    where = f"backends=[{row.backend!r}], dtypes=[{row.dtype!r}]"
    return f"c.report({row.case}, {where}, laws=[{own}], seed={seed})"
