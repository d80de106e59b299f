"""What one pytest run is about, and the rows that it has seen."""

import dataclasses
import os
import shlex
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
from ..author import FunctionCase
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
        Those that were asked for; none, where all were.
    rows : list of Row
    narrowed : bool
        Whether some tests were left out.
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
    rows: list[Row] = field(default_factory=list)
    narrowed: bool = False
    cases: dict[str, FunctionCase] = field(default_factory=dict)

    @classmethod
    def of(cls, config: pytest.Config) -> "Session":
        """Read the options of a run; UsageError where they are not as they should be."""
        option = config.getoption
        names = _split(option("am_backends"))
        dtypes = _split(option("am_dtypes")) or ["float32", "float64"]
        ledgers = [*config.getini("am_ledger"), *map(Path, option("am_ledger"))]
        try:
            check_dtypes(dtypes)
            usable, not_run = chosen_backends(names or None, option("am_require"))
            ledger = Ledger.merged(*(Ledger.load(path) for path in ledgers))
        except (ChoiceError, LedgerError) as error:
            raise pytest.UsageError(str(error)) from error
        for name in ("am_json", "am_markdown"):
            _check_folder(name, option(name))
        arguments = ["--am-seed", str(option("am_seed"))]
        if option("am_dtypes"):
            arguments += ["--am-dtypes", ",".join(dtypes)]
        for path in option("am_ledger"):
            arguments += ["--am-ledger", path]
        probes = am.available_backends()
        return cls(
            environments(usable),
            not_run,
            dtypes,
            option("am_seed"),
            ledger,
            {name: probes[name].version for name in usable},
            arguments,
            names,
        )

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
        return [] if self.narrowed else self.ledger.stale(self.rows, self.versions)

    def write(self, json: str | None, markdown: str | None) -> None:
        """Write the reports that were asked for."""
        if json is None and markdown is None:
            return  # for whose versions every framework is imported
        data = reports.as_data(self.rows, seed=self.seed, not_run=self.not_run)
        if json is not None:
            reports.write(Path(json), data)
        if markdown is not None:
            with whole_file(Path(markdown)) as file:
                file.write(reports.markdown(data))


KEY = pytest.StashKey[Session]()


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()] if names else []


def _check_folder(option: str, path: str | None) -> None:
    if path is not None and not Path(path).absolute().parent.is_dir():
        raise pytest.UsageError(f"--{option.replace('_', '-')} {path}: its folder does not exist")


def node_id(item: pytest.Item) -> str:
    """What names a test on a command line, from where pytest was called."""
    path, *rest = item.nodeid.split("::")
    whole = item.config.rootpath / path
    here = os.path.relpath(whole, item.config.invocation_params.dir)
    return "::".join([here, *rest])


def place_id(env: Environment) -> str:
    """An environment in the name of a test."""
    backend, _, rest = env.label.partition(" ")
    return f"{backend}:{rest.replace(' ', '_')}" if rest else backend
