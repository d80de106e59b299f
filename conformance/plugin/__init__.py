"""Plugin of pytest for functions that are to run on every array library.

It is opt-in: ``pytest -p agnostic_mask.conformance.plugin``, or in conftest.py
``pytest_plugins = "agnostic_mask.conformance.plugin"``.

A case's ``test_mine = mine.as_test()`` becomes a test for each law, environment and float type.
Tests written by hand take the fixtures `am_xp`, `am_device`, `am_dtype`, `am_backend`, and call by
`am_call`. The terminal shows a matrix at the end.
"""

import inspect
from collections.abc import Generator
from typing import Any

import pytest

from ..author import FunctionCase
from ._fixtures import am_backend, am_call, am_device, am_dtype, am_place, am_xp, parametrize
from ._gatherer import Gatherer
from ._items import LawItem, items
from ._rows import numbered
from ._session import KEY, Session

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
        help="fail, with the reason, if this backend, or this kind of its devices (torch:cuda), "
        "cannot run; may be repeated",
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
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[LawItem] | None:
    """Make tests of what `as_test` gave."""
    # Some objects have every attribute that they are asked for: those of unittest.mock.
    case = inspect.getattr_static(obj, "conformance_case", None)
    if isinstance(case, FunctionCase):
        return list(items(collector, name, case, getattr(obj, "pytestmark", [])))
    if issubclass(type(obj), FunctionCase) and collector.funcnamefilter(name):
        raise collector.CollectError(
            f"{name} is a case; expected is a test, which .as_test() makes of it: "
            f"{name} = c.case(...).as_test()"
        )
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that ask for our fixtures everywhere."""
    parametrize(metafunc)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give rows to the report, by which they come from whatever process ran the test."""
    report: Any = yield
    report.agnostic_mask = numbered(item, report)
    found: pytest.TestReport = report
    return found
