"""Gathers rows from all processes of a run, and says at its end what came of them."""

import shutil
from collections.abc import Sequence

import pytest

from .. import reports
from .._row import Row
from ._session import Session


class Gatherer:
    """Part of the plugin that knows the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that some tests do not run."""
        self._session.narrowed |= bool(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the rows of a test."""
        self._session.rows += [Row(**row) for row in getattr(report, "agnostic_mask", ())]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write reports; fail where the ledger has what is no more."""
        config = session.config
        if hasattr(config, "workerinput"):
            return  # one process of several, whose rows went to the first
        self._session.narrowed |= any("::" in argument for argument in config.args)
        self._session.write(config.getoption("am_json"), config.getoption("am_markdown"))
        if self._session.stale() and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the matrix."""
        found = self._session
        if not found.rows:
            return
        write = terminalreporter.write_line
        terminalreporter.section("conformance")
        width = shutil.get_terminal_size().columns
        write(reports.matrix(found.rows, found.not_run, width, failures=False).rstrip())
        for entry in found.stale():
            write(f"{entry.source} is stale: it is about nothing that ran; delete it", red=True)
