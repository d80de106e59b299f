"""Plugin of pytest for functions that are to run on every array library.

It is opt-in: ``pytest -p agnostic_mask.conformance.plugin``, or in conftest.py
``pytest_plugins = "agnostic_mask.conformance.plugin"``.

A case's ``test_mine = mine.as_test()`` becomes a test for each law, environment and float type.
Tests written by hand take the fixtures `am_xp`, `am_device`, `am_dtype`, `am_backend`, and call by
`am_call`. The terminal shows a matrix at the end.
"""

from collections.abc import Generator
from typing import Any

import pytest

from .._row import FAILED, NOT_APPLICABLE, PASSED, Row
from ._fixtures import am_backend, am_call, am_device, am_dtype, am_place, am_xp, parametrize
from ._gatherer import Gatherer
from ._items import LawItem, as_plain, items
from ._session import KEY, Session, node_id

__all__ = [
    "am_backend",
    "am_call",
    "am_device",
    "am_dtype",
    "am_place",
    "am_xp",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("agnostic_mask", "conformance of array-API functions")
    group.addoption(
        "--am-backends", metavar="NAMES", help="run on these alone: names with commas between"
    )
    group.addoption(
        "--am-require",
        metavar="NAME",
        action="append",
        default=[],
        help="fail, with the reason, if this backend cannot run; may be repeated",
    )
    group.addoption(
        "--am-dtypes",
        metavar="NAMES",
        help="float types, with commas between (default: float32,float64)",
    )
    group.addoption("--am-seed", metavar="N", type=int, default=0, help="of the inputs")
    group.addoption(
        "--am-ledger",
        metavar="FILE",
        action="append",
        default=[],
        help="known deviations (TOML); may be repeated, and be set by am_ledger in the ini file",
    )
    group.addoption("--am-json", metavar="FILE", help="write every row to this file")
    group.addoption("--am-markdown", metavar="FILE", help="write a summary to this file")
    parser.addini("am_ledger", "files of known deviations", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, before any test is collected."""
    session = config.stash[KEY] = Session.of(config)
    config.pluginmanager.register(Gatherer(session), f"{__name__}.gatherer")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Collector, name: str, obj: object
) -> list[LawItem] | None:
    """Make tests of what `as_test` gave."""
    case = getattr(obj, "conformance_case", None)
    return None if case is None else list(items(collector, name, case))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that ask for our fixtures everywhere."""
    parametrize(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give rows to the report, by which they come from whatever process ran the test."""
    report: Any = yield
    if isinstance(item, LawItem):
        if call.when == "call":
            report.agnostic_mask = as_plain(item.rows)
    elif call.when == "call" and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        place = item.callspec.params.get("_am_place")
        if place is not None:
            report.agnostic_mask = as_plain([_row(item, place, report)])
    found: pytest.TestReport = report
    return found


def _row(item: pytest.Function, place: Any, report: Any) -> Row:
    env, dtype = place
    name = item.originalname
    outcome = {"passed": PASSED, "failed": FAILED}.get(report.outcome, NOT_APPLICABLE)
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
    if outcome == FAILED:
        reason = report.longreprtext.strip().rpartition("\n")[2]
    row = Row(name, name, name, "test", env.backend, env.label, dtype, outcome, reason=reason)
    session = item.config.stash[KEY]
    return session.repeatable(row, node_id(item))
