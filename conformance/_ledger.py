"""Known deviations: failures that are reported upstream, and expected until they are mended.

``data/ledger.toml`` says how a file of them is written.
"""

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ._globs import matches, nearest
from ._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from .laws import ViolationError

REQUIRED = ("backend", "versions", "case", "law", "link", "why")
EXPECTATIONS = ("raises", "share")
OPTIONAL = ("environment", "dtype", *EXPECTATIONS)
EVERY_EXCEPTION = ("Exception", "BaseException", "object")


class LedgerError(ValueError):
    """A ledger is not as it should be; the message says where, what came and what is expected."""


@dataclass(frozen=True)
class Deviation:
    """An entry of a ledger.

    Attributes
    ----------
    source : str
        The file and the entry's number in it, the first being 1.
    backend : str
    versions : SpecifierSet
        Of the backend.
    case, law, environment, dtype : str
        Patterns.
    raises : str or None
        Type of the exception that is expected, or of a base of it.
    share : float or None
        Largest share of the bound that is expected.
    link, why : str
    """

    source: str
    backend: str
    versions: SpecifierSet
    case: str
    law: str
    link: str
    why: str
    environment: str = "*"
    dtype: str = "*"
    raises: str | None = None
    share: float | None = None

    def holds_for(self, version: str) -> bool:
        """Whether the entry is about this version of its backend."""
        try:
            found = Version(version)
        except InvalidVersion:
            return False
        return self.versions.contains(found, prereleases=True)

    def covers(self, row: Row) -> bool:
        """Whether the entry is about what a row is about."""
        return self.backend == row.backend and all(
            matches(pattern, name)
            for pattern, name in (
                (self.case, row.case),
                (self.law, row.law),
                (self.environment, row.environment),
                (self.dtype, row.dtype),
            )
        )

    def expects(self, row: Row, error: BaseException | None) -> bool:
        """Whether a row failed as the entry says."""
        if self.share is not None:
            return row.share is not None and row.share <= self.share
        if isinstance(error, ViolationError):
            # What was measured is expected by its size alone.
            broken = self.raises == ViolationError.__name__ and row.share is None
            return broken or self._is_kind_of(error.__cause__)
        return self._is_kind_of(error)

    def _is_kind_of(self, error: BaseException | None) -> bool:
        return error is not None and self.raises in {base.__name__ for base in type(error).__mro__}

    @property
    def expectation(self) -> str:
        """What is expected, in words."""
        if self.raises is not None:
            return f"that {self.raises} is raised"
        return f"at most {self.share:g} times the bound"


@dataclass(frozen=True)
class Ledger:
    """Known deviations.

    Attributes
    ----------
    entries : tuple of Deviation
    """

    entries: tuple[Deviation, ...] = ()

    @classmethod
    def own(cls) -> "Ledger":
        """Known deviations of our own functions."""
        return cls.load(resources.files(__package__) / "data" / "ledger.toml")

    @classmethod
    def load(cls, path: "str | os.PathLike[str] | Traversable") -> "Ledger":
        """Read a ledger.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        Ledger

        Raises
        ------
        LedgerError
            If the file cannot be read, or is not as ``data/ledger.toml`` says.
        """
        file = path if isinstance(path, Traversable) else Path(path)
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise LedgerError(f"ledger {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise LedgerError(f"ledger {path} is not TOML: {error}") from error
        found = data.pop("deviation", [])
        if data:
            raise LedgerError(
                f"ledger {path} has a key {min(data)!r}; expected are tables [[deviation]] alone"
            )
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise LedgerError(
                f"ledger {path}: deviation is {found!r}; expected are tables, each headed "
                "[[deviation]]"
            )
        return cls(tuple(_entry(f"{path}: entry {i}", e) for i, e in enumerate(found, 1)))

    @classmethod
    def merged(cls, *ledgers: "Ledger") -> "Ledger":
        """One ledger with the entries of all."""
        return cls(tuple(entry for ledger in ledgers for entry in ledger.entries))

    def judge(self, row: Row, version: str, error: BaseException | None = None) -> Row:
        """What a row is in the light of the ledger.

        Parameters
        ----------
        row : Row
            Of a failure, with its share of the bound if it was measured.
        version : str
            Of the row's backend.
        error : exception, optional
            Why it failed: what the function raised, or a `ViolationError`.

        Returns
        -------
        Row
            A known deviation where an entry expects the failure; a failure where an entry covers
            a row that passed; otherwise the row, with a word on the entry that it exceeds.
        """
        if row.outcome not in (PASSED, FAILED):
            return row
        entries = [e for e in self.entries if e.covers(row) and e.holds_for(version)]
        if not entries:
            return row
        if row.outcome == PASSED:
            which = ", ".join(entry.source for entry in entries)
            return dataclasses.replace(
                row,
                outcome=FAILED,
                reason=f"passes, but is in a ledger: {which} is stale; delete or narrow it",
            )
        for entry in entries:
            if entry.expects(row, error):
                return dataclasses.replace(row, outcome=KNOWN, reason=entry.why, link=entry.link)
        expected = "; ".join(f"{entry.source} expects {entry.expectation}" for entry in entries)
        return dataclasses.replace(row, reason=f"{row.reason}\nMore than is known: {expected}")

    def stale(self, rows: Iterable[Row], versions: Mapping[str, str]) -> list[Deviation]:
        """Entries that are about nothing that ran.

        Parameters
        ----------
        rows : iterable of Row
            All of a run.
        versions : mapping of str to str
            Of the backends, by name.

        Returns
        -------
        list of Deviation
            Those whose backend ran in one of their versions, and that cover no row to which a
            law applied.
        """
        rows = list(rows)
        ran = {row.backend for row in rows}
        left = [e for e in self.entries if e.backend in ran and e.holds_for(versions[e.backend])]
        for row in rows:
            if left and row.outcome != NOT_APPLICABLE:
                left = [entry for entry in left if not entry.covers(row)]
        return left


def _entry(where: str, data: Mapping[str, Any]) -> Deviation:
    known = (*REQUIRED, *OPTIONAL)
    for key, value in data.items():
        if key not in known:
            raise LedgerError(
                f"{where}: {key!r} is unknown{nearest(key, known)} Known: {', '.join(known)}"
            )
        if key != "share" and not (isinstance(value, str) and value.strip()):
            raise LedgerError(f"{where}: {key} is {value!r}; expected is text")
    for key in REQUIRED:
        if key not in data:
            raise LedgerError(f"{where}: {key} is missing; {', '.join(REQUIRED)} are required")
    given = [key for key in EXPECTATIONS if key in data]
    if len(given) != 1:
        raise LedgerError(
            f"{where}: {' and '.join(given) or 'neither raises nor share'} given; expected is "
            "exactly one of raises, the name of an exception, and share, a number above 1"
        )
    if not _is_url(data["link"]):
        raise LedgerError(f"{where}: link is {data['link']!r}; expected is an URL, https://...")
    _check_expectation(where, data)
    try:
        versions = SpecifierSet(data["versions"])
    except InvalidSpecifier as error:
        raise LedgerError(
            f"{where}: versions is {data['versions']!r}; expected are versions as in PEP 440, such "
            'as ">=2.13,<2.14"'
        ) from error
    return Deviation(where, **{**data, "versions": versions})


def _check_expectation(where: str, data: Mapping[str, Any]) -> None:
    share, raises = data.get("share"), data.get("raises")
    number = isinstance(share, int | float) and not isinstance(share, bool)
    if share is not None and not (number and 1 < share < float("inf")):
        raise LedgerError(
            f"{where}: share is {share!r}; expected is a finite number above 1: how many times the "
            "bound is seen"
        )
    if raises is not None and not raises.isidentifier():
        raise LedgerError(
            f"{where}: raises is {raises!r}; expected is the name of an exception without its "
            "module, such as NotImplementedError"
        )
    if raises in EVERY_EXCEPTION:
        raise LedgerError(
            f"{where}: raises is {raises!r}, which every exception is; expected is what is raised"
        )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http") and bool(parts.netloc) and not any(map(str.isspace, text))
    )
