"""What one pytest run is about, and the rows that it has seen."""

import dataclasses
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import agnostic_mask as am

from .. import reports
from .._choice import ChoiceError, check_dtypes, chosen_backends
from .._environments import Environment, environments
from .._files import whole_file
from .._ledger import Deviation, Ledger, LedgerError
from .._row import FAILED, Row
from .._run import Outcome
from ..author import FunctionCase, versions
from ..laws import backends_agree

NAME = "agnostic_mask.conformance.plugin"


@dataclass
class Session:
    """The choices of a run, and what came of it.

    Attributes
    ----------
    environments : list of Environment
    not_run : dict of str to str
        Backends that cannot run, with the reason of each.
    dtypes : list of str
    seed : int
    ledger : Ledger
    versions : dict of str to str
        Of the backends.
    arguments : list of str
        Options that a command needs to repeat a test.
    backends : list of str
        Those that run; none, where all do that can.
    numbered : list of tuple of (int, Row)
        What came of tests, with their numbers.
    skipped : list of Row
        Of tests that were not called.
    narrowed : bool
        Whether some tests were left out, so that nobody can tell what is not there any more.
    cases : dict of str to FunctionCase
        Those that were collected, by name.
    """

    environments: list[Environment]
    not_run: dict[str, str]
    dtypes: list[str]
    seed: int
    ledger: Ledger
    versions: dict[str, str]
    arguments: list[str]
    backends: list[str]
    numbered: list[tuple[int, Row]] = field(default_factory=list)
    skipped: list[Row] = field(default_factory=list)
    narrowed: bool = False
    cases: dict[str, FunctionCase] = field(default_factory=dict)

    @classmethod
    def of(cls, config: pytest.Config) -> "Session":
        """Read the options of a run; UsageError where they are not as they should be."""
        option = config.getoption
        names = _split(option("am_backends"))
        _check_seed(option("am_seed"))
        dtypes = _split(option("am_dtypes")) or ["float32", "float64"]
        ledgers = [*config.getini("am_ledger"), *map(Path, option("am_ledger"))]
        try:
            check_dtypes(dtypes)
            usable, not_run = chosen_backends(names or None, option("am_require"))
            ledger = Ledger.merged(*(Ledger.load(path) for path in ledgers))
        except (ChoiceError, LedgerError) as error:
            raise pytest.UsageError(str(error)) from error
        for name in ("am_json", "am_markdown"):
            _check_file(name, option(name))
        found = environments(usable)
        _check_dtypes(dtypes, found)
        arguments = ["--am-seed", str(option("am_seed"))]
        if option("am_dtypes"):
            arguments += ["--am-dtypes", ",".join(dtypes)]
        for path in option("am_ledger"):
            arguments += ["--am-ledger", path]
        probes = am.available_backends()
        return cls(
            found,
            not_run,
            dtypes,
            option("am_seed"),
            ledger,
            {name: probes[name].version for name in usable},
            arguments,
            usable if names else [],
            narrowed=bool(option("am_dtypes")),
        )

    @property
    def rows(self) -> list[Row]:
        """What came of tests, in the order in which they were collected."""
        return [row for _, row in sorted(self.numbered, key=lambda pair: pair[0])]

    def without_environment(self) -> list[str]:
        """Float types that none of the environments has."""
        return [name for name in self.dtypes if not _is_in(name, self.environments)]

    def judged(self, outcome: Outcome, node: str) -> Row:
        """A row in the light of the ledger, with what repeats it if it failed."""
        row = self.ledger.judge(outcome.row, self.versions[outcome.row.backend], outcome.error)
        return self.repeatable(row, node)

    def repeatable(self, row: Row, node: str) -> Row:
        """A row that, if it failed, says what repeats it."""
        if row.outcome != FAILED:
            return row
        # Others are not imported for it, unless it compares with them.
        names = self.backends if row.law == backends_agree.name else [row.backend]
        alone = ["--am-backends", ",".join(names)] if names else []
        words = ["python", "-m", "pytest", "-p", NAME, node, *self.arguments, *alone]
        return dataclasses.replace(row, command=shlex.join(words))

    def stale(self) -> list[Deviation]:
        """Entries of the ledger that are about nothing that ran, unless tests were left out."""
        if self.narrowed:
            return []
        found = self.ledger.stale(self.rows, self.versions)
        return [entry for entry in found if not any(map(entry.covers, self.skipped))]

    def write(self, json: str | None, markdown: str | None) -> None:
        """Write the reports that were asked for."""
        if json is None and markdown is None:
            return  # for whose versions every framework is imported
        theirs = versions(case.fn for case in self.cases.values())
        data = reports.as_data(self.rows, seed=self.seed, not_run=self.not_run, versions=theirs)
        if json is not None:
            reports.write(Path(json), data)
        if markdown is not None:
            with whole_file(Path(markdown)) as file:
                file.write(reports.markdown(data))


KEY = pytest.StashKey[Session]()
NUMBER = pytest.StashKey[int]()
"""Of a test, in the order in which tests were collected."""


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()] if names else []


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise pytest.UsageError(f"--am-seed {seed}: expected an integer of at least 0")


def _check_file(option: str, path: str | None) -> None:
    if path is None:
        return
    given = f"--{option.replace('_', '-')} {path}"
    if Path(path).is_dir():
        raise pytest.UsageError(f"{given}: it is a folder; expected the name of a file to write")
    if not Path(path).absolute().parent.is_dir():
        raise pytest.UsageError(f"{given}: its folder does not exist")


def _check_dtypes(names: Sequence[str], found: Sequence[Environment]) -> None:
    if not any(_is_in(name, found) for name in names):
        where = ", ".join(env.label for env in found)
        raise pytest.UsageError(
            f"--am-dtypes {','.join(names)}: none of the environments has this float type, so that "
            f"nothing would run; expected one that one of them has: {where}"
        )


def _is_in(dtype: str, found: Sequence[Environment]) -> bool:
    return any(dtype in env.dtypes() for env in found)


def node_id(item: pytest.Item) -> str:
    """What names a test on a command line, from where pytest was called."""
    path, *rest = item.nodeid.split("::")
    whole = item.config.rootpath / path
    here = os.path.relpath(whole, item.config.invocation_params.dir)
    return "::".join([here, *rest])


def place_id(env: Environment, dtype: str = "") -> str:
    """An environment and a float type, if there is one, in the name of a test."""
    backend, _, rest = env.label.partition(" ")
    place = f"{backend}:{rest.replace(' ', '_')}" if rest else backend
    return f"{place}-{dtype}" if dtype else place
