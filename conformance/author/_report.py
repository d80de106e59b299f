"""Run cases right away, without pytest."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import agnostic_mask as am

from .. import laws as ours
from .. import reports
from .._choice import check_dtypes, chosen_backends
from .._environments import Environment, environments
from .._globs import matches
from .._ledger import Ledger
from .._row import FAILED, Row
from .._run import Outcome, float_types
from ..laws import Law, Run, backends_agree
from . import _laws as theirs
from ._calling import versions
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
    stale : tuple of str
        Entries of the ledger about these cases that are about nothing that ran.
    versions : mapping of str to str
        Of the packages whose functions were checked.
    """

    rows: tuple[Row, ...]
    seed: int
    not_run: dict[str, str]
    stale: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Number of rows in which a law does not hold, and of stale entries of the ledger."""
        return sum(row.outcome == FAILED for row in self.rows) + len(self.stale)

    def __str__(self) -> str:
        said = [
            f"{entry} is stale: it is about nothing that ran; delete it" for entry in self.stale
        ]
        return "\n".join([reports.matrix(self.rows, self.not_run), *said])

    def write(self, path: str | Path) -> None:
        """Write every row to a JSON file, whole or not at all."""
        reports.write(Path(path), self._data())

    def markdown(self) -> str:
        """The same for a pull request."""
        return reports.markdown(self._data())

    def _data(self) -> dict[str, Any]:
        return reports.as_data(
            self.rows, seed=self.seed, not_run=self.not_run, versions=self.versions
        )


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
    if backends is not None and not backends:
        raise ValueError("backends=[]: expected a name at least, or None for all that can run")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r}: expected an integer of at least 0")
    chosen, not_run = chosen_backends(backends)
    check_dtypes(dtypes)
    known = Ledger() if ledger is None else Ledger.load(ledger)
    probes = am.available_backends()
    rows = []
    for outcome in _outcomes(cases, environments(chosen), dtypes, laws, seed):
        row = known.judge(outcome.row, probes[outcome.row.backend].version, outcome.error)
        if row.outcome == FAILED:
            row = replace(row, command=_repeat(row, seed, chosen))
        rows.append(row)
    if not rows:
        raise ValueError(
            f"nothing to check: {len(cases)} cases, with these laws and float types "
            f"{list(dtypes)}, on {chosen}"
        )
    stale = _stale(known, rows, probes) if laws is None else ()
    return Report(tuple(rows), seed, not_run, stale, versions(case.fn for case in cases))


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


def _stale(ledger: Ledger, rows: Sequence[Row], probes: Mapping[str, am.Probe]) -> tuple[str, ...]:
    """Entries about cases of this report alone: a ledger may be about others too."""
    cases, dtypes = ({getattr(row, of) for row in rows} for of in ("case", "dtype"))
    versions = {row.backend: probes[row.backend].version for row in rows}
    return tuple(
        entry.source
        for entry in ledger.stale(rows, versions)
        if any(matches(entry.case, case) for case in cases)
        and any(matches(entry.dtype, dtype) for dtype in dtypes)
    )


def _repeat(row: Row, seed: int, backends: Sequence[str]) -> str:
    """What to write in Python for the same again."""
    public = (*ours.__all__, theirs.accumulates_wide.name, theirs.covers_leading_axes.name)
    own = f"c.{row.law}" if row.law in public else row.law
    # It compares with what ran before.
    names = list(backends) if row.law == backends_agree.name else [row.backend]
    options = f"backends={names}, dtypes=[{row.dtype!r}], laws=[{own}], seed={seed}"
    if row.case.replace(".", "_").isidentifier():
        return f"c.report({row.case}, {options})"
    return f"c.report(case, {options})  # of the case called {row.case!r}"
