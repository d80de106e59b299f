"""Run cases right away, without pytest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import reports
from .._choice import check_dtypes, chosen_backends
from .._environments import environments
from .._row import FAILED, Row
from .._run import float_types
from ..laws import Run
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
    seed: int = 0,
) -> Report:
    """Check cases under their laws on every backend that runs here.

    Parameters
    ----------
    *cases : FunctionCase
    backends : sequence of str, optional
        Names; all that can run here by default.
    dtypes : sequence of str
        Float types, of "float16", "bfloat16", "float32", "float64".
    seed : int
        Of the inputs.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If a backend or a float type does not exist; the message names the nearest.
    """
    chosen, not_run = chosen_backends(backends)
    check_dtypes(dtypes)
    return Report(tuple(rows_of(cases, chosen, dtypes, seed)), seed, not_run)


def rows_of(
    cases: Sequence[FunctionCase], backends: Sequence[str], dtypes: Sequence[str], seed: int
) -> list[Row]:
    """Rows of cases on usable backends."""
    rows = []
    envs = environments(backends)
    for case in cases:
        references: dict[Any, Any] = {}
        for i, env in enumerate(envs):
            for dtype in float_types(case, env, dtypes):
                trial = Run(case, env, dtype, seed, references, envs[:i])
                rows += [check(law, trial).row for law in case.laws]
    return rows
