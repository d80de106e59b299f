"""Check a law of inputs that hypothesis draws, and makes smaller where the law does not hold."""

from dataclasses import replace
from typing import Any

from .._row import FAILED, NOT_APPLICABLE
from .._run import Outcome, apply, failed
from ..laws import Law, Run
from ._case import FunctionCase

EXAMPLES = 50
"""Inputs that are tried for each law, environment and float type."""


class _FoundError(Exception):
    """A law does not hold for what was drawn."""


def check(law: Law, trial: Run) -> Outcome:
    """What comes of a law; of a case with strategies, for the smallest inputs that break it."""
    case = trial.case
    if not (isinstance(case, FunctionCase) and case.searches):
        return apply(law, trial)
    import hypothesis  # which a case without strategies does not need

    outcomes: list[tuple[Outcome, dict[str, Any]]] = []

    def look(data: Any) -> None:
        given = case.inputs(trial.rng(), draw=data.draw)
        # What was computed of other inputs says nothing of these.
        outcome = apply(law, replace(trial, given=given, references={}))
        outcomes.append((outcome, case.named(given)))
        if outcome.row.outcome == FAILED:
            raise _FoundError

    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    drawn = hypothesis.given(hypothesis.strategies.data())
    search = hypothesis.seed(trial.seed)(settings(drawn(look)))
    try:
        search()
    except _FoundError:
        # The last that ran is the smallest.
        outcome, given = outcomes[-1]
        inputs = ", ".join(f"{name}={x!r}" for name, x in given.items())
        reason = f"{outcome.row.reason} (smallest inputs: {inputs})"
        return replace(outcome, row=replace(outcome.row, reason=reason))
    except Exception as error:  # of a strategy; the other rows are not lost for it
        return failed(law, trial, error)
    found = [outcome for outcome, _ in outcomes]
    tried = [outcome for outcome in found if outcome.row.outcome != NOT_APPLICABLE]
    return max(tried or found, key=lambda outcome: outcome.row.share or 0.0)
