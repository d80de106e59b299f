"""Gathers rows from all processes of a run, and says at its end what came of them."""

import os
import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from .. import reports
from .._row import Row
from ._session import NUMBER, Session

NARROWED = "agnostic_mask_narrowed"
"""Name by which a process of several tells the first that it left tests out."""


class Gatherer:
    """Part of the plugin that knows the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Number the tests, before others sort them."""
        for i, item in enumerate(items):
            item.stash[NUMBER] = i

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that some tests do not run."""
        self._session.narrowed |= bool(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that there may be tests which were not collected."""
        self._session.narrowed |= not report.passed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the rows of a test."""
        found = [(i, Row(**row)) for i, row in getattr(report, "agnostic_mask", ())]
        self._session.numbered += found
        if report.when == "setup":
            self._session.skipped += [row for _, row in found]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear of a process of pytest-xdist whether it left tests out; one that broke did."""
        self._session.narrowed |= getattr(node, "workeroutput", {}).get(NARROWED, True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write reports; fail where the ledger has what is no more."""
        config = session.config
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        self._session.narrowed |= bool(session.shouldstop or session.shouldfail) or not ended
        output = getattr(config, "workeroutput", None)
        if output is not None:  # of one process of several, whose rows went to the first
            output[NARROWED] = self._session.narrowed
            return
        self._session.narrowed |= _is_part(config)
        if config.getoption("collectonly"):
            return
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
        for dtype in found.without_environment():
            write(f"not run: {dtype}: none of the environments has this float type")
        for entry in found.stale():
            write(f"{entry.source} is stale: it is about nothing that ran; delete it", red=True)


def _is_part(config: pytest.Config) -> bool:
    """Whether the command line asks for part of the tests, of which nobody is told otherwise."""
    # What the ini file ignores is left out by every run.
    words = [*config.invocation_params.args, *os.environ.get("PYTEST_ADDOPTS", "").split()]
    ignored = any(str(word).startswith("--ignore") for word in words)
    here = config.invocation_params.dir
    named = config.args if config.args_source is config.ArgsSource.ARGS else []
    folders = all((here / argument).is_dir() for argument in named)
    return ignored or not folders or bool(config.getoption("lf", False))
