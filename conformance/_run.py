"""Run every case under every law in every environment, and say of each what came of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._environments import Environment
from .cases import Case, all_cases
from .laws import LAWS, Law, Run, ViolationError, agreement
from .oracle import Reference

Seen = tuple[Environment, np.ndarray, Reference]
"""An environment, its result, and how far that may be off there."""

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"


@dataclass(frozen=True)
class Row:
    """What came of one case under one law in one environment.

    Attributes
    ----------
    case, group, covers, law, backend, environment, dtype : str
        What ran, and where.
    outcome : {"passed", "failed", "not applicable"}
    share : float or None
        Largest share of the bound that was filled, where there is one.
    reason : str
        What failed, or why the law does not apply.
    """

    case: str
    group: str
    covers: str
    law: str
    backend: str
    environment: str
    dtype: str
    outcome: str
    share: float | None = None
    reason: str = ""


def run(
    environments: Sequence[Environment],
    *,
    seed: int = 0,
    cases: Sequence[Case] | None = None,
    laws: Sequence[Law] | None = None,
    advance: Callable[[], Any] = lambda: None,
) -> Iterator[Row]:
    """Run cases under laws.

    Parameters
    ----------
    environments : sequence of Environment
    seed : int
        Of the inputs.
    cases, laws : sequence, optional
        All, if left out.
    advance : callable
        Called after each case.

    Yields
    ------
    Row
        One for each case, law, environment and float type.
    """
    for case in all_cases() if cases is None else cases:
        references: dict[Any, Reference] = {}
        seen: dict[str, list[Seen]] = {}
        for env in environments:
            for dtype in env.dtypes() if case.floating else ("float32",):
                trial = Run(case, env, dtype, seed, references)
                for law in LAWS if laws is None else laws:
                    yield _apply(law, trial)
                if laws is None:
                    yield _agree(trial, seen.setdefault(dtype, []))
        advance()


def _row(trial: Run, law: str, outcome: str, share: float | None = None, reason: str = "") -> Row:
    case, env = trial.case, trial.env
    return Row(
        case.name,
        case.group,
        case.covers,
        law,
        env.backend,
        env.label,
        trial.dtype,
        outcome,
        share,
        reason,
    )


def _apply(law: Law, trial: Run) -> Row:
    with trial.env.scope(trial.dtype):
        objection = law.why_not(trial.case, trial.env, trial.dtype)
        if objection is not None:
            return _row(trial, law.name, NOT_APPLICABLE, reason=objection)
        try:
            share = law.check(trial)
        except ViolationError as violation:
            return _row(trial, law.name, FAILED, reason=str(violation))
        except Exception as error:  # a law must end in a row, whatever the function did
            return _row(trial, law.name, FAILED, reason=f"{type(error).__name__}: {error}")
        return _row(trial, law.name, PASSED, share)


def _agree(trial: Run, seen: list[Seen]) -> Row:
    """Compare with every environment before: the law of agreement is about pairs."""
    name = "agreement"
    with trial.env.scope(trial.dtype):
        try:
            _, arrays, exact = trial.inputs()
            result = trial.call(arrays)
            reference = trial.reference(exact)
        except Exception as error:  # as above
            return _row(trial, name, FAILED, reason=f"{type(error).__name__}: {error}")
    worst, where = 0.0, ""
    for env, other, theirs in seen:
        share = agreement(other, result, theirs, reference)
        if share > worst:
            worst, where = share, env.label
    seen.append((trial.env, result, reference))
    if worst > 1:
        return _row(trial, name, FAILED, reason=f"{worst:.3g} times both bounds from {where}")
    return _row(trial, name, PASSED, worst)
