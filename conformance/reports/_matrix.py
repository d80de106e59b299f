"""A run as plain text for a terminal."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from .._row import FAILED, Row
from ._counts import Table, deviations, some, table, title, totals, unsaid, wide

SHOWN_FAILURES = 20
GAP = "  "


def matrix(
    rows: Sequence[Row],
    not_run: Mapping[str, str],
    width: int = 100,
    *,
    failures: bool = True,
) -> str:
    """What came of a run, as plain text.

    Parameters
    ----------
    rows : sequence of Row
    not_run : mapping of str to str
        Backends that did not run, with the reason of each.
    width : int
        Of the terminal. A table that is wider goes on below itself.
    failures : bool
        Whether failures are listed below the table.

    Returns
    -------
    str
        Cases (where there are many, their groups) by environments, what was not run and why,
        totals, known deviations, and each failure with the command that repeats it.
    """
    parts = ["\n".join(_blocks(table(rows, not_run), width))]
    said = [*_not_run(not_run, width), totals(rows), *_wrapped(wide(rows), width, "", "  ")]
    parts.append("\n".join(said))
    parts.extend("\n".join(_known(*found, width)) for found in deviations(rows).items())
    failed = [row for row in rows if failures and row.outcome == FAILED]
    parts.extend("\n".join(_failure(row, width)) for row in failed[:SHOWN_FAILURES])
    if len(failed) > SHOWN_FAILURES:
        parts.append(f"and {len(failed) - SHOWN_FAILURES} more; the JSON report has them all")
    return "\n\n".join(parts) + "\n"


def _blocks(found: Table, width: int) -> Iterator[str]:
    """Lines of the table, cut into blocks of columns that fit."""
    room = max(20, width // 2)
    names = [_cut(name, room) for name in (found.heading, *(name for name, _ in found.lines))]
    first = max(map(len, names))
    lines = [found.columns, *(cells for _, cells in found.lines)]
    cells = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in cells]
    done = 0
    while done == 0 or done < len(cells):
        used, end = first, done
        while end < len(cells) and (end == done or used + len(GAP) + widths[end] <= width):
            used += len(GAP) + widths[end]
            end += 1
        if done:
            yield ""
        for i, name in enumerate(names):
            texts = (cells[j][i].rjust(widths[j]) for j in range(done, end))
            yield GAP.join([name.ljust(first), *texts]).rstrip()
        done = max(end, 1)


def _cut(name: str, room: int) -> str:
    """A name on one line, its middle left out if it is long: cases differ at both ends."""
    name = " ".join(name.splitlines())
    half = (room - 3) // 2
    return name if len(name) <= room else f"{name[:half]}...{name[-half:]}"


def _not_run(not_run: Mapping[str, str], width: int) -> Iterator[str]:
    for name, reason in not_run.items():
        yield from _wrapped(f"not run: {name}: {reason}", width, "", "  ")


def _known(key: tuple[str, str], rows: Sequence[Row], width: int) -> Iterator[str]:
    (why, link), where = key, ", ".join(dict.fromkeys(row.environment for row in rows))
    yield from _wrapped(f"known: {why}", width, "", "  ")
    yield from _wrapped(f"{some(len(rows), 'row')} on {where}", width, "  ", "  ")
    if link:
        yield f"  {link}"


def _failure(row: Row, width: int) -> Iterator[str]:
    yield from _wrapped(f"FAILED {title(row)}", width, "", "  ")
    yield from _wrapped(row.reason, width, "  ", "  ")
    # A link or a command in two lines could not be copied.
    for said in (unsaid(row), row.link, row.command and f"repeat: {row.command}"):
        if said:
            yield f"  {said}"


def _wrapped(text: str, width: int, first: str, then: str) -> Iterator[str]:
    """Lines of a text, each wrapped by itself: reasons hold arrays over several lines."""
    wrap = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    for i, line in enumerate(text.splitlines()):
        wrap.initial_indent, wrap.subsequent_indent = then if i else first, then
        yield from wrap.wrap(line)
