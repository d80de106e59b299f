"""Run every case under every law in every environment, and say of each what came of it."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._case import Case
from ._environments import Environment
from ._row import FAILED, NOT_APPLICABLE, PASSED, Row
from .laws import Law, NotHereError, Run, ViolationError


@dataclass(frozen=True)
class Outcome:
    """What came of a law, and what it raised.

    Attributes
    ----------
    row : Row
    error : BaseException or None
        Why it failed.
    """

    row: Row
    error: BaseException | None = None


def run(
    environments: Sequence[Environment],
    *,
    cases: Sequence[Case],
    laws: Sequence[Law],
    seed: int = 0,
    dtypes: Sequence[str] | None = None,
) -> Iterator[Outcome]:
    """Run cases under laws.

    Parameters
    ----------
    environments : sequence of Environment
    cases : sequence of Case
    laws : sequence of Law
    seed : int
        Of the inputs.
    dtypes : sequence of str, optional
        Float types to try, of those that an environment has.

    Yields
    ------
    Outcome
        One for each case, law, environment and float type.
    """
    for case in cases:
        references: dict[Any, Any] = {}
        for i, env in enumerate(environments):
            for dtype in float_types(case, env, dtypes):
                trial = Run(case, env, dtype, seed, references, environments[:i])
                for law in laws:
                    yield apply(law, trial)


def float_types(case: Case, env: Environment, chosen: Sequence[str] | None = None) -> list[str]:
    """Float types that a case is tried with: one, where no input is floating."""
    found = [name for name in env.dtypes() if chosen is None or name in chosen]
    if case.floating:
        return found
    # That for which most laws are checked, and which every environment has.
    return ["float32"] if "float32" in found else found[:1]


def refused(law: Law, trial: Run) -> Row | None:
    """The row of a law that has nothing to check, which is known before it is checked; or None."""
    with trial.env.scope(trial.dtype):
        objection = law.why_not(trial.case, trial.env, trial.dtype)
    if objection is None:
        return None
    return _outcome(trial, law, NOT_APPLICABLE, reason=objection).row


def apply(law: Law, trial: Run) -> Outcome:
    """Check a law, and say what came of it, whatever the function under test did."""
    trial = replace(trial, notes=[])
    with trial.env.scope(trial.dtype):
        objection = law.why_not(trial.case, trial.env, trial.dtype)
        if objection is not None:
            return _outcome(trial, law, NOT_APPLICABLE, reason=objection)
        try:
            with warnings.catch_warnings():
                # A NaN that is right comes with one; a law that forbids them says so itself.
                warnings.simplefilter("ignore", RuntimeWarning)
                share = law.check(trial)
            if share is not None and (isinstance(share, bool) or not _is_number(share)):
                raise LawError(
                    f"the law {law.name} returned {share!r}; expected None, or the share of a "
                    f"bound. Where it does not hold it raises c.ViolationError"
                )
        except NotHereError as error:
            return _outcome(trial, law, NOT_APPLICABLE, reason=str(error))
        except Exception as error:  # a law must end in a row, whatever the function did
            return _raised(law, trial, error)
        return _outcome(trial, law, PASSED, share, "; ".join(trial.notes))


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | np.integer | np.floating)


class LawError(TypeError):
    """A law is not as it should be; the message says what to change."""


def _raised(law: Law, trial: Run, error: Exception) -> Outcome:
    for each in (error, error.__cause__):
        fault = None if each is None else trial.env.knowledge.own_fault(each)
        if fault is not None:
            return _outcome(trial, law, NOT_APPLICABLE, reason=fault)
    if isinstance(error, ViolationError):
        return _outcome(trial, law, FAILED, error.share, str(error), error)
    return failed(law, trial, error)


def failed(law: Law, trial: Run, error: BaseException) -> Outcome:
    """What came of a law that could not be checked to its end."""
    return _outcome(trial, law, FAILED, None, f"{type(error).__name__}: {error}", error)


def _outcome(
    trial: Run,
    law: Law,
    outcome: str,
    share: float | None = None,
    reason: str = "",
    error: BaseException | None = None,
) -> Outcome:
    case, env = trial.case, trial.env
    row = Row(
        case=case.name,
        group=case.group,
        covers=case.covers,
        law=law.name,
        backend=env.backend,
        environment=env.label,
        dtype=trial.dtype,
        outcome=outcome,
        share=None if share is None else float(share),
        ulps=getattr(share, "ulps", None),
        reason=reason,
    )
    return Outcome(row, error)
