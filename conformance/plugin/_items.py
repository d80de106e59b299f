"""One test for each law, environment and float type of a case."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from .._row import FAILED, KNOWN, NOT_APPLICABLE, Row
from .._run import Outcome, float_types, refused
from ..author import FunctionCase, OracleError, check
from ..laws import Law, Run, ViolationError
from ._session import KEY, node_id, place_id

MACHINERY = {"_pytest", "pluggy", "conformance"}
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
        own = excinfo.traceback.filter(lambda entry: not set(entry.path.parts) & MACHINERY)
        excinfo.traceback = own or excinfo.traceback
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the test is, and its name."""
        return self.path, None, self.name


def _said(row: Row) -> str:
    return (
        f"{row.law} does not hold for {row.case} on {row.environment}, {row.dtype}\n"
        f"repeat: {row.command}"
    )


def items(collector: pytest.Collector, name: str, case: FunctionCase) -> Iterator[LawItem]:
    """Tests of a case. What does not apply is told of by the first of them."""
    session = collector.config.stash[KEY]
    if session.cases.setdefault(case.name, case) is not case:
        raise collector.CollectError(
            f"{name}: another case is called {case.name}; give it a name of its own: name="
        )
    references: dict[Any, Any] = {}
    left_out: list[Row] = []
    first = True
    for i, env in enumerate(session.environments):
        for dtype in float_types(case, env, session.dtypes):
            trial = Run(case, env, dtype, session.seed, references, session.environments[:i])
            for law in case.laws:
                row = refused(law, trial)
                if row is not None:
                    left_out.append(row)
                    continue
                called = f"{name}[{place_id(env)}-{dtype}-{law.name}]"
                # Told whole, it is the same for `--lf` as what is read from a file.
                made = LawItem.from_parent(
                    collector, name=called, nodeid=f"{collector.nodeid}::{called}"
                )
                made.law, made.trial = law, trial
                # The same list for the first, which is added to while others are collected.
                made.rows = left_out if first else []
                first = False
                yield made


def as_plain(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows as what can be sent from one process to another."""
    return [dataclasses.asdict(row) for row in rows]
