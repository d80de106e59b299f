"""Two reports compared: what got worse, and what got better."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from ._counts import some, title
from ._data import rows_of

SHOWN = 20
GROWN, WORTH_A_WORD = 2, 0.1
"""A share of the bound got worse if it grew beyond so many times, and is more than so much."""

KINDS = ("backend", "environment", "case", "law")
"""Parts of a run, the largest first."""

Key = tuple[str, str, str, str]
"""Case, law, environment and dtype."""


@dataclass(frozen=True)
class Difference:
    """What a report says that an older one did not.

    Attributes
    ----------
    failing : tuple of Row
        Fail, and did not, or were not there.
    missing : tuple of str
        What ran before and does not now, in words: a line for a backend, an environment, a case
        or a law that is gone altogether, otherwise a line a row.
    looser : tuple of (Row, Row)
        Passed before and now, and are more than twice as far off, and by more than 10 % of the
        bound.
    known : tuple of Row
        Known deviations that were not deviations before.
    passing : tuple of Row
        Pass, and did not.
    new : tuple of str
        What did not run before, in words.
    still_failing : int
        How many failed before and fail now.
    context : tuple of str
        Versions and seeds that are not the same.
    """

    failing: tuple[Row, ...]
    missing: tuple[str, ...]
    looser: tuple[tuple[Row, Row], ...]
    known: tuple[Row, ...]
    passing: tuple[Row, ...]
    new: tuple[str, ...]
    still_failing: int
    context: tuple[str, ...]

    @property
    def worse(self) -> bool:
        """Whether anything newly fails, is not run any more, or is further off."""
        return bool(self.failing or self.missing or self.looser)

    def __str__(self) -> str:
        """The difference as plain text."""
        looser = [
            f"{title(now)}: {before.share:.1%} of the bound before, {now.share:.1%} now"
            for before, now in self.looser
        ]
        failing = [f"{title(row)}{_repeat(row)}" for row in self.failing]
        parts = [
            *_part("is not the same", self.context),
            *_part("newly failing", failing),
            *_part("ran before, and does not now", self.missing),
            *_part("further off", looser),
            *_part("newly a known deviation", [f"{title(r)}: {r.link}" for r in self.known]),
            *_part("newly passing", list(map(title, self.passing))),
            *_part("new", self.new),
        ]
        if self.still_failing:
            parts.append(f"{some(self.still_failing, 'row')} failed before and fail now")
        parts.append("something got worse" if self.worse else "nothing got worse")
        return "\n".join(parts) + "\n"


def _repeat(row: Row) -> str:
    return f"\n    {row.command}" if row.command else ""


def _part(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{heading} ({len(lines)}):"
        yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more"


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """What a report says that an older one did not.

    Parameters
    ----------
    old, new : mapping
        What `as_data` or `read` returned.

    Returns
    -------
    Difference
    """
    before, now = _by_key(old), _by_key(new)
    both = [(before[key], row) for key, row in now.items() if key in before]
    ran = {key: row for key, row in before.items() if row.outcome != NOT_APPLICABLE}
    runs = {key: row for key, row in now.items() if row.outcome != NOT_APPLICABLE}
    gone = [row for key, row in ran.items() if key not in runs]
    added = [row for key, row in runs.items() if key not in ran]

    def newly(outcome: str) -> tuple[Row, ...]:
        were = {key for key, row in before.items() if row.outcome == outcome}
        return tuple(r for key, r in now.items() if r.outcome == outcome and key not in were)

    return Difference(
        failing=newly(FAILED),
        missing=tuple(_in_few_lines(gone, runs.values(), new["not_run"])),
        looser=tuple(pair for pair in both if _is_looser(*pair)),
        known=newly(KNOWN),
        passing=tuple(
            r for was, r in both if was.outcome in (FAILED, KNOWN) and r.outcome == PASSED
        ),
        new=tuple(_in_few_lines(added, ran.values(), {})),
        still_failing=sum(was.outcome == r.outcome == FAILED for was, r in both),
        context=tuple(_context(old, new)),
    )


def _by_key(data: Mapping[str, Any]) -> dict[Key, Row]:
    found: dict[Key, Row] = {}
    for row in rows_of(data):
        key = row.case, row.law, row.environment, row.dtype
        # Names are unique; if two cases have one all the same, no failure gets lost.
        if key not in found or row.outcome == FAILED:
            found[key] = row
    return found


def _is_looser(was: Row, row: Row) -> bool:
    if was.outcome != PASSED or row.outcome != PASSED or was.share is None or row.share is None:
        return False
    return row.share > GROWN * was.share and row.share > WORTH_A_WORD


def _in_few_lines(
    rows: Sequence[Row], others: Iterable[Row], reasons: Mapping[str, str]
) -> Iterator[str]:
    """Rows in words, each as part of the largest thing of which the others have nothing."""
    others = list(others)
    there = {kind: {getattr(row, kind) for row in others} for kind in KINDS}
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        absent = (kind for kind in KINDS if getattr(row, kind) not in there[kind])
        kind = next(absent, "")
        found[kind, getattr(row, kind) if kind else title(row)] += 1
    for (kind, name), count in found.items():
        why = f": {reasons[name]}" if kind == "backend" and name in reasons else ""
        yield f"{kind} {name} ({some(count, 'row')}){why}" if kind else name


def _context(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in ("seed", "python", "platform"):
        if old[name] != new[name]:
            yield f"{name}: {old[name]} before, {new[name]} now"
    for name in old["versions"] | new["versions"]:
        was, is_now = (data["versions"].get(name) or "none" for data in (old, new))
        if was != is_now:
            yield f"{name}: {was} before, {is_now} now"
