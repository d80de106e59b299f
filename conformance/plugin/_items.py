"""One test for each law, environment and float type of a case."""

import linecache
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from .._row import FAILED, KNOWN, NOT_APPLICABLE, Row
from .._run import Outcome, float_types, refused
from ..author import FunctionCase, OracleError, check
from ..laws import Law, Run, ViolationError
from ._session import KEY, node_id, place_id

# concurrent.futures calls the function from several threads.
MACHINERY = tuple(
    Path(str(files(name)))
    for name in (
        "_pytest",
        "agnostic_mask.backends",
        "agnostic_mask.conformance",
        "concurrent",
        "pluggy",
    )
)
"""Folders of which a traceback says nothing about the function under test."""


class BrokenLawError(AssertionError):
    """A law does not hold; pytest shows the row's own words."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.reason)
        self.row = row


class LawItem(pytest.Item):
    """A case under a law, in an environment, for a float type."""

    law: Law
    trial: Run
    rows: list[Row]
    line: int

    def runtest(self) -> None:
        """Check the law, and keep its row for the report."""
        session = self.config.stash[KEY]
        outcome = check(self.law, self.trial)
        row = session.judged(outcome, node_id(self))
        self.rows.append(row)
        if row.outcome == KNOWN:
            pytest.xfail(f"{row.reason} ({row.link})")
        if row.outcome == NOT_APPLICABLE:
            pytest.skip(row.reason)
        if row.outcome == FAILED:
            self._fail(row, outcome)

    def _fail(self, row: Row, outcome: Outcome) -> None:
        error = outcome.error
        told = (ViolationError, OracleError)  # in words of which a traceback is no part
        if error is None or isinstance(error, told) or row.reason.startswith("passes"):
            raise BrokenLawError(row)
        error.add_note(_said(row))
        raise error

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """What failed, and what repeats it; where the function raised, the traceback too."""
        if isinstance(excinfo.value, BrokenLawError):
            return f"{excinfo.value.row.reason}\n\n{_said(excinfo.value.row)}"
        if not self.config.getoption("fulltrace"):
            own = excinfo.traceback.filter(_is_authors)
            if not own:
                return f"{excinfo.exconly()}\n(--full-trace shows where it was raised)"
            excinfo.traceback = own
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the test is, and its name."""
        return self.path, self.line, self.name


def _is_authors(entry: Any) -> bool:
    # It is text where there is no file: of code that was made by exec, or by Cython.
    path = Path(entry.path)
    return not any(path.is_relative_to(folder) for folder in MACHINERY)


def _said(row: Row) -> str:
    return (
        f"{row.law} does not hold for {row.case} on {row.environment}, {row.dtype}\n"
        f"repeat: {row.command}"
    )


def items(
    collector: pytest.Collector, name: str, case: FunctionCase, marks: Sequence[pytest.Mark]
) -> Iterator[LawItem]:
    """Tests of a case, all with its marks. What does not apply is told of by the first."""
    session = collector.config.stash[KEY]
    if session.cases.setdefault(case.name, case) is not case:
        raise collector.CollectError(
            f"{name}: another case is called {case.name}; give it a name of its own: name="
        )
    references: dict[Any, Any] = {}
    left_out: list[Row] = []
    line = _line(collector.path, name)
    first = True
    for i, env in enumerate(session.environments):
        for dtype in float_types(case, env, session.dtypes):
            trial = Run(case, env, dtype, session.seed, references, session.environments[:i])
            for law in case.laws:
                row = refused(law, trial)
                if row is not None:
                    left_out.append(row)
                    continue
                called = f"{name}[{place_id(env, dtype)}-{law.name}]"
                # Told whole, it is the same for `--lf` as what is read from a file.
                made = LawItem.from_parent(
                    collector, name=called, nodeid=f"{collector.nodeid}::{called}"
                )
                made.own_markers.extend(marks)
                made.keywords.update((mark.name, mark) for mark in marks)
                made.law, made.trial, made.line = law, trial, line
                # The same list for the first, which is added to while others are collected.
                made.rows = left_out if first else []
                first = False
                yield made


def _line(path: Path, name: str) -> int:
    """Line where a test gets its name, the first being 0; also 0 where that is not seen."""
    assigned = re.compile(rf"\s*{re.escape(name)}\s*[:=]")
    lines = enumerate(linecache.getlines(str(path)))
    return next((i for i, line in lines if assigned.match(line)), 0)
