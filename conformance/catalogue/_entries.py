"""What the code says of each public function and metric."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import agnostic_mask as am

from ..cases import NOT_NUMERIC, Case, ReductionCase, all_cases
from ..cases._part import Part
from ._peer import Peers
from ._peers import PEERS

STATES: dict[str, str] = {
    "Tally": "sums",
    "Moments": "centred moments",
    "Deviances": "deviances",
    "Extreme": "extremes",
    "ConfusionCounts": "confusion counts",
    "CalibrationSums": "bin sums",
    "ScoreHistogram": "histograms",
}
"""Class of a metric's states -> what they hold, in the order of the page."""

OF_METRICS = "Metrics of another metric: exact or binned as that is"
OF_ALL = "Metrics of all data at once, without a state: exact"
BESIDE = "Beside them"


class CatalogueError(Exception):
    """The catalogue cannot be made; the message has a line for each thing that it lacks."""


@dataclass(frozen=True)
class Entry:
    """A public name.

    Attributes
    ----------
    name : str
        Under `agnostic_mask`: "losses.huber".
    section : str
        The table that it is in.
    about : str
        What it is, with its formula: the beginning of its docstring.
    called : tuple of str
        Parameters of the call.
    options : tuple of str
        Those of a metric itself; of a function its parameters by keyword alone.
    peers : mapping or str
        What it equals elsewhere.
    """

    name: str
    section: str
    about: str
    called: tuple[str, ...]
    options: tuple[str, ...]
    peers: Peers


def public() -> list[str]:
    """Names of all that is public and computes."""
    names = [name for name in am.__all__ if name not in NOT_NUMERIC]
    names += [f"losses.{name}" for name in am.losses.__all__]
    names += [f"metrics.{name}" for name in am.metrics.__all__ if name not in NOT_NUMERIC]
    return sorted(names, key=str.casefold)


def entries() -> list[Entry]:
    """An entry for each public name.

    Raises
    ------
    CatalogueError
        If a name has no case or no entry among the peers, a state no words, or a peer no name.
    """
    cases: dict[str, Case] = {}
    for case in all_cases():
        cases.setdefault(case.covers, case)
    names = public()
    if lacking := [*_lacking(names, cases), *_left_over(names)]:
        raise CatalogueError("\n".join(lacking))
    return [_entry(name, cases.get(name)) for name in names]


def _lacking(names: list[str], cases: dict[str, Case]) -> Iterator[str]:
    for name in names:
        if name not in PEERS:
            yield f"{name}: say in conformance/catalogue/_peers*.py what it equals elsewhere"
        case = cases.get(name)
        # The objective is what every loss is run through.
        if case is None and name != "weighted_masked_objective":
            yield f"{name}: has no case; add one, or a reason to NOT_NUMERIC, in conformance/cases"
        metric = metric_of(case)
        if metric is not None and not wraps(metric) and _state(metric) not in STATES:
            yield f"{name}: say in STATES of {__name__} what a {_state(metric)} holds"
        if case is not None and metric is None and inspect.isclass(_find(name)):
            yield f"{name}: its case has no attribute `metric`, of which to read the statistic"


def _left_over(names: list[str]) -> Iterator[str]:
    for name in sorted({*PEERS} - {*names}):
        yield f"{name}: has an entry in conformance/catalogue/_peers*.py and is not public"


def _entry(name: str, case: Case | None) -> Entry:
    public = _find(name)
    metric = metric_of(case)
    if metric is None:
        parameters = _parameters(public)
        options = tuple(x for x in parameters if x.kind is x.KEYWORD_ONLY)
        called = tuple(x for x in parameters if x not in options)
    else:
        options, called = _parameters(public), _parameters(type(metric).__call__)[1:]
    section = _section(name, case)
    shown = (tuple(map(_shown, called)), tuple(map(_shown, options)))
    return Entry(name, section, _about(public), *shown, PEERS[name])


def _section(name: str, case: Case | None) -> str:
    if name.startswith("losses."):
        return "Losses"
    if isinstance(case, ReductionCase):
        return "Reductions"
    metric = metric_of(case)
    if metric is not None:
        kind = _state(metric)
        return OF_METRICS if wraps(metric) else of_kind(STATES[kind], _is_binned(metric))
    if name.startswith("metrics."):
        return OF_ALL
    return BESIDE


def metric_of(case: Case | None) -> Any:
    """The metric of a case, None if it has none."""
    metric = getattr(case, "metric", None)
    return metric.metric if isinstance(metric, Part) else metric


def wraps(metric: Any) -> bool:
    """Whether a metric is made of another one, whose states, or some like them, it has."""
    return isinstance(getattr(metric, "metric", None), am.metrics.Metric)


def of_kind(kind: str, binned: bool) -> str:
    """Heading of the metrics of a kind of states."""
    return f"Metrics, states of {kind}: {'binned' if binned else 'exact'}"


def _is_binned(metric: Any) -> bool:
    """Whether a metric depends on bins; those that do are named for it, or their base is."""
    return any(cls.__name__.lstrip("_").startswith("Binned") for cls in type(metric).__mro__)


def _state(metric: Any) -> str:
    return str(metric.statistic.state.__name__)


def _find(name: str) -> Any:
    found: Any = am
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _about(public: Any) -> str:
    """What a docstring says first, with its formula.

    That may be in the second paragraph too, or in a literal block of the notes.
    """
    docstring = inspect.getdoc(public) or ""
    described = re.split(r"\n[^\n]+\n---+\n", docstring)[0]
    first, *rest = re.split(r"\n\s*\n", described)
    if rest and "``" in rest[0] and ("``" not in first or rest[0].startswith("With ")):
        first = f"{first} {rest[0]}"
    block = re.search(r"\n([^\n]+:):\n\n((?: +[^\n]+\n)+)", docstring)
    if "``" not in first and block:
        # A line that is indented further goes on with the one before.
        lines = re.sub(r"\n +", " ", textwrap.dedent(block[2])).strip().split("\n")
        first = f"{first} {block[1]}<br>" + "<br>".join(f"``{line}``" for line in lines)
    return " ".join(first.split())


def _parameters(public: Any) -> tuple[inspect.Parameter, ...]:
    return tuple(inspect.signature(public).parameters.values())


def _shown(parameter: inspect.Parameter) -> str:
    name, default = str(parameter.replace(annotation=parameter.empty)), parameter.default
    # With double quotes, as the code has.
    return f'{parameter.name}="{default}"' if isinstance(default, str) else name
