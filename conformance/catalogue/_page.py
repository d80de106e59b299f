"""The catalogue as a page of Markdown."""

import ast
import importlib.util
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import agnostic_mask as am

from ..cases import all_cases
from ..laws import LAWS
from ._entries import BESIDE, OF_ALL, OF_METRICS, STATES, Entry, entries, of_kind
from ._peer import Peers
from ._peers import OBJECTIVE

LIBRARIES = ("keras", "sklearn", "torch", "optax", "torchmetrics", "numpy", "scipy")
"""Peers, in the order of a cell."""

COMMAND = "agnostic-mask catalogue --output docs/catalogue.md"

HEAD = f"""\
# The catalogue

Every public function and metric that computes. Made from the code by
`{COMMAND}`, not by hand.

What a function *equals* it equals within rounding, where nothing is excluded, or the peer excludes
it too, and but for what is said beside. It is not said each time that torch's losses are meant with
`reduction="none"`; that weights are scikit-learn's `sample_weight`; that torch, optax and
torchmetrics take y_pred before y_true; that torchmetrics has no weights, but for its `MeanMetric`.

*Exact* metrics are what their formula gives for all data, within rounding, however it is cut.
*Binned* ones count in bins, which no data moves; their documentation says what that costs."""


def page() -> str:
    """The whole page."""
    known = entries()
    parts = [HEAD, *_objective()]
    for section in _sections(known):
        parts += _table_of(section, [entry for entry in known if entry.section == section])
    parts += [*_backends(), *_laws()]
    return "\n\n".join(parts) + "\n"


def _sections(known: Iterable[Entry]) -> list[str]:
    """Sections that are there: losses, reductions, metrics by what their states hold, the rest."""
    metrics = [of_kind(words, binned) for words in STATES.values() for binned in (False, True)]
    order = ["Losses", "Reductions", BESIDE, *metrics, OF_ALL, OF_METRICS]
    there = dict.fromkeys(entry.section for entry in known)
    return sorted(there, key=order.index)


def _table_of(section: str, rows: Sequence[Entry]) -> Iterator[str]:
    yield f"## {section}"
    called = _shared([row.called for row in rows])
    options = _shared([row.options for row in rows])
    said = [f"Called with {_code(called)}."] if called else []
    said += [f"Options of all: {_code(options)}."] if options else []
    if said:
        yield textwrap.fill(" ".join(said), 100, break_on_hyphens=False, break_long_words=False)
    table = [
        (
            f"`{row.name}`",
            _cell(row.about),
            _code([name for name in row.called if name not in called]),
            _code([name for name in row.options if name not in options]),
            _peers(row.peers),
        )
        for row in rows
    ]
    yield _table(("name", "what it is", "called with", "options", "equals"), table)


def _shared(lists: Sequence[Sequence[str]]) -> list[str]:
    """What is in all of several lists; of a single one nothing is worth saying of all."""
    common = [name for name in lists[0] if all(name in others for others in lists)]
    return common if len(lists) > 1 else []


def _objective() -> Iterator[str]:
    yield "## The reductions of an objective"
    yield (
        "Of `weighted_masked_objective`, with s the scores, m the mask, w the weights, |s| the "
        "number of\nscores."
    )
    rows = _simple_table(inspect.getdoc(am.weighted_masked_objective) or "")
    table = [
        (f'`"{name}"`', _cell(value), _cell(empty), _peers(OBJECTIVE[name]))
        for name, value, empty in ((row[0].strip("`"), *row[1:]) for row in rows[1:])
    ]
    yield _table(("reduction", "value", "none included", "equals"), table)


def _simple_table(docstring: str) -> list[list[str]]:
    """Rows of the first table of a docstring, its heading among them."""
    lines = docstring.splitlines()
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"\s*=+( +=+)+", line)]
    starts = [found.start() for found in re.finditer(r"=+", lines[rules[0]])]
    ends = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines[rules[0] + 1 : rules[2]]:
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if set(cells[0]) == {"="}:
            continue
        if cells[0]:
            rows.append(cells)
        else:  # the line before goes on
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
    return rows


def _backends() -> Iterator[str]:
    yield "## Backends"
    yield (
        "Every function above has cases in the conformance suite, and a case knows no backend: "
        "`agnostic-mask\nconform` runs all of them on each of these, on each of its devices, that "
        "can run where you are, and\nsays of the others why they cannot. What has been run, and "
        "what has not, is in the\n[README](../README.md#what-it-promises)."
    )
    points = metadata.distribution("agnostic-mask").entry_points
    own = points.select(group="agnostic_mask.backends")
    # Read and not imported: a backend imports its framework.
    rows = [(f"`{point.name}`", _cell(_module_docstring(point.module))) for point in own]
    yield _table(("backend", "arrays"), sorted(rows))


def _module_docstring(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _laws() -> Iterator[str]:
    yield "## Laws"
    yield "What the suite checks of every case, and why a law may have nothing to say of one."
    cases = all_cases()
    rows = []
    for law in LAWS:
        reasons = sorted({reason for case in cases if (reason := case.why_not(law.name))})
        rows.append((law.name, _cell(law.says), "<br>".join(map(_cell, reasons))))
    yield _table(("law", "what it says", "not of a case where"), rows)


def _peers(peers: Peers) -> str:
    if isinstance(peers, str):
        return _cell(peers)
    names = sorted(peers, key=lambda name: LIBRARIES.index(name.partition(".")[0]))
    return "<br>".join(f"`{n}`: {_cell(peers[n])}" if peers[n] else f"`{n}`" for n in names)


def _code(names: Sequence[str]) -> str:
    return f"`{', '.join(names)}`" if names else ""


def _cell(text: str) -> str:
    """Text of a docstring as that of a cell."""
    return text.replace("``", "`").replace("|", r"\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, without the columns in which nothing is."""
    rows = list(rows)
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[head[i] for i in kept], ["---"] * len(kept), *([r[i] for i in kept] for r in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
