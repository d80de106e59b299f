"""Rows of tests, as they go from the process that ran a test to that which writes the report."""

import dataclasses
from typing import Any

import pytest

from .._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from ._items import LawItem
from ._session import KEY, NUMBER, node_id, place_id


def numbered(item: pytest.Item, report: pytest.TestReport) -> list[tuple[int, dict[str, Any]]]:
    """Rows of a test, as plain data, each with the number of its test; none where none is due."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return []
    if isinstance(item, LawItem):
        # Of a test that was not called, because it is skipped, there is no row yet.
        rows = item.rows if report.when == "call" else [*item.rows, _of_law(item, report)]
    elif isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        place = item.callspec.params.get("_am_place")
        rows = [] if place is None else [_by_hand(item, place, report)]
    else:
        rows = []
    session, node = item.config.stash[KEY], node_id(item)
    told = [session.repeatable(_marked(row, report), node) for row in rows]
    return [(item.stash.get(NUMBER, 0), dataclasses.asdict(row)) for row in told]


def _of_law(item: LawItem, report: pytest.TestReport) -> Row:
    case, env = item.trial.case, item.trial.env
    return Row(
        case.name,
        case.group,
        case.covers,
        item.law.name,
        env.backend,
        env.label,
        item.trial.dtype,
        _outcome(report),
        reason=_reason(report),
    )


def _by_hand(item: pytest.Function, place: Any, report: pytest.TestReport) -> Row:
    env, dtype = place
    group = item.originalname
    # Their own parameters are what is left without the place, wherever in the id it stands.
    ours = place_id(env, dtype)
    theirs = f"-{item.callspec.id}-".replace(f"-{ours}-", "-", 1)[1:-1]
    name = f"{group}[{theirs}]" if theirs else group
    outcome, reason = _outcome(report), _reason(report)
    return Row(name, group, group, "test", env.backend, env.label, dtype, outcome, reason=reason)


def _outcome(report: pytest.TestReport) -> str:
    if report.passed:
        return PASSED
    return NOT_APPLICABLE if report.skipped and not hasattr(report, "wasxfail") else FAILED


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash is not None else report.longreprtext.strip()


def _marked(row: Row, report: pytest.TestReport) -> Row:
    """A row as pytest sees its test, whose marks it knows."""
    if row.outcome == FAILED and report.skipped and hasattr(report, "wasxfail"):
        reason = report.wasxfail or "marked xfail, without a reason"
        return dataclasses.replace(row, outcome=KNOWN, reason=reason, command="")
    if row.outcome == PASSED and report.failed:  # where the mark is strict
        return dataclasses.replace(row, outcome=FAILED, reason=_reason(report))
    return row
