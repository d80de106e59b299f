"""A report as Markdown for a pull request."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._row import FAILED, KNOWN, NOT_APPLICABLE, Row
from ._counts import Table, deviations, some, table, title, totals, unsaid, wide
from ._data import rows_of

SHOWN_FAILURES = 20
LONGEST_REASON = 2000
OPEN_LINES = 15
"""Lines of a table that need no fold."""

# Entities, unlike backslashes, mean the same in a table, in a link and in code.
SPECIAL = str.maketrans({c: f"&#{ord(c)};" for c in "\\`*_{}[]()#!|~@$:<>&\"'"})


def markdown(data: Mapping[str, Any]) -> str:
    """A report as Markdown.

    Parameters
    ----------
    data : mapping
        What `as_data` or `read` returned.

    Returns
    -------
    str
        A verdict, the table of cases by environments, failures with the commands that repeat
        them, known deviations with their links, and what was not run and why.
    """
    rows = rows_of(data)
    failures = [row for row in rows if row.outcome == FAILED]
    found = table(rows, data["not_run"])
    shown = "\n".join(_table(found))
    if len(found.lines) > OPEN_LINES:
        shown = _folded(some(len(found.lines) - 1, found.heading), shown)
    parts = [_verdict(rows, failures), shown, f"{totals(rows)}. {_versions(data)}"]
    unfilled = wide(rows)
    if unfilled:
        parts.append(f"{_plain(unfilled)}.")
    if failures:
        parts.append("### Failures")
        parts.extend(map(_failure, failures[:SHOWN_FAILURES]))
    if len(failures) > SHOWN_FAILURES:
        parts.append(f"and {len(failures) - SHOWN_FAILURES} more; the JSON report has them all")
    known = deviations(rows)
    if known:
        parts += ["### Known deviations", "\n".join(_known(*item) for item in known.items())]
    if data["not_run"]:
        lines = (f"- {_code(name)}: {_code(why)}" for name, why in data["not_run"].items())
        parts += ["### Not run", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _verdict(rows: Sequence[Row], failures: Sequence[Row]) -> str:
    checks = sum(row.outcome != NOT_APPLICABLE for row in rows)
    if not checks:
        return "**Nothing was checked.**"
    cases, places = len({row.case for row in rows}), len({row.environment for row in rows})
    over = f"{some(cases, 'case')} in {some(places, 'environment')}"
    if failures:
        return f"**{len(failures)} of {some(checks, 'check')} failed**: {over}."
    known = sum(row.outcome == KNOWN for row in rows)
    but = f", but for {some(known, 'known deviation')}" if known else ""
    return f"**All of {some(checks, 'check')} passed{but}**: {over}."


def _versions(data: Mapping[str, Any]) -> str:
    found = [f"{_plain(name)} {_plain(v)}" for name, v in data["versions"].items() if v]
    return f"Python {_plain(data['python'])}; {', '.join(found)}; seed {data['seed']}."


def _table(found: Table) -> Iterator[str]:
    yield _line([found.heading, *map(_code, found.columns)])
    yield _line(["---", *("---:" for _ in found.columns)])
    for name, cells in found.lines[:-1]:
        yield _line([_code(name), *map(_bold, cells)])
    name, cells = found.lines[-1]
    yield _line([name, *map(_bold, cells)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bold(said: str) -> str:
    return f"**{said}**" if "FAILED" in said else said


def _failure(row: Row) -> str:
    reason = row.reason
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[:LONGEST_REASON]}... (cut; the JSON report has it all)"
    body = [_pre(reason)]
    if unsaid(row):
        body.append(unsaid(row))
    if row.link:
        body.append(_link(row.link))
    if row.command:
        body.append(_pre(row.command))
    return _folded(_code(title(row)), "\n\n".join(body))


def _folded(summary: str, body: str) -> str:
    # Without the empty lines the body would be taken for HTML.
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _known(key: tuple[str, str], rows: Sequence[Row]) -> str:
    why, link = key
    where = ", ".join(map(_code, dict.fromkeys(row.environment for row in rows)))
    said = f"- {_plain(why)} ({some(len(rows), 'row')} on {where})"
    return f"{said}: {_link(link)}" if link else said


def _plain(text: str) -> str:
    """A text on one line, in which nothing means anything to Markdown or HTML."""
    return " ".join(text.split()).translate(SPECIAL)


def _code(text: str) -> str:
    return f"<code>{_plain(text)}</code>"


def _pre(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _link(url: str) -> str:
    safe = url.startswith(("https://", "http://")) and not any(c.isspace() for c in url)
    return f'<a href="{html.escape(url)}">{_plain(url)}</a>' if safe else _plain(url)
