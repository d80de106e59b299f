"""Rows counted: cases by environments, and what a person is told of them."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from ..laws import matches_oracle

MOST_LINES = 40
"""Cases that get a line each; of more, their groups do."""

NOT_RUN = "not run"

SHOWN_WIDE = 10


@dataclass(frozen=True)
class Table:
    """Cells of text.

    Attributes
    ----------
    heading : {"case", "group"}
        What the lines are.
    columns : tuple of str
        Environments, then backends that did not run.
    lines : tuple of (str, tuple of str)
        The name of each line and its cells; the last line counts everything.
    """

    heading: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def table(rows: Sequence[Row], not_run: Mapping[str, str]) -> Table:
    """Cases, or their groups where there are many, by environments."""
    by_case = len({row.case for row in rows}) <= MOST_LINES
    environments = tuple(dict.fromkeys(row.environment for row in rows))
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.case if by_case else row.group, row.environment].append(row)
        cells["", row.environment].append(row)
    names = dict.fromkeys(name for name, _ in cells if name)
    absent = (NOT_RUN,) * len(not_run)
    return Table(
        "case" if by_case else "group",
        (*environments, *not_run),
        tuple(
            (name or "all", (*(cell(cells.get((name, e), ())) for e in environments), *absent))
            for name in (*names, "")
        ),
    )


def cell(rows: Sequence[Row]) -> str:
    """What came of rows, in a few characters; the share is the largest among those that passed."""
    found = Counter(row.outcome for row in rows)
    applied = len(rows) - found[NOT_APPLICABLE]
    if found[FAILED]:
        return f"{found[FAILED]} FAILED of {applied}"
    said = []
    if found[PASSED]:
        said.append(f"{found[PASSED]} ok")
        shares = [r.share for r in rows if r.outcome == PASSED and r.share is not None]
        if shares:
            said.append(f"{max(shares):.0%}")
    if found[KNOWN]:
        said.append(f"{found[KNOWN]} known")
    return " ".join(said) or ("n/a" if rows else "")


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows had each outcome."""
    found = Counter(row.outcome for row in rows)
    return {outcome: found[outcome] for outcome in (PASSED, FAILED, KNOWN, NOT_APPLICABLE)}


def totals(rows: Sequence[Row]) -> str:
    """Counts in words."""
    found = counts(rows)
    said = [f"{found[PASSED]} passed", f"{found[FAILED]} failed"]
    if found[KNOWN]:
        said.append(some(found[KNOWN], "known deviation"))
    return ", ".join([*said, f"{found[NOT_APPLICABLE]} do not apply"])


def deviations(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """Known deviations by why they are known and where that is reported."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.outcome == KNOWN:
            found[row.reason, row.link].append(row)
    return found


FILLED = 0.01
"""Share of a bound that some result is expected to fill."""


def wide(rows: Sequence[Row]) -> str:
    """What to say of bounds that no result fills, though some are off; empty where there is none.

    Such a bound would let much pass. Where every result is exact there is nothing to tell.
    """
    shares: dict[str, float] = defaultdict(float)
    off = set()
    for row in rows:
        if row.law == matches_oracle.name and row.outcome == PASSED and row.share is not None:
            shares[row.case] = max(shares[row.case], row.share)
            if row.ulps:
                off.add(row.case)
    found = [
        f"{name} ({shares[name]:.1%})" for name in shares if shares[name] < FILLED and name in off
    ]
    more = f" and {len(found) - SHOWN_WIDE} more" if len(found) > SHOWN_WIDE else ""
    return (
        f"no result fills 1 % of its bound: {', '.join(found[:SHOWN_WIDE])}{more}" if found else ""
    )


def title(row: Row) -> str:
    """A row's place, in words."""
    return f"{row.law}: {row.case} on {row.environment}, {row.dtype}"


def unsaid(row: Row) -> str:
    """How far off a row was; empty where nothing was measured, or the reason says so."""
    said = []
    if row.share is not None and math.isfinite(row.share):
        said.append(f"{row.share:.3g} times the bound")
    if row.ulps is not None and math.isfinite(row.ulps):
        said.append(f"{row.ulps:.3g} ulps")
    return ", ".join(measure for measure in said if measure not in row.reason)


def some(count: int, noun: str) -> str:
    """A count and its noun, plural if it must be."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
