"""Which part of our own catalogue a run is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._case import Case
from ._environments import FLOATS, Environment, environments
from ._globs import matches, nearest
from .cases import all_cases
from .laws import LAWS, Law

SHOWN_NAMES = 40


class SelectionError(ValueError):
    """A selection has nothing to run; the message names what is near."""


@dataclass(frozen=True)
class Selection:
    """Names and patterns that narrow a run; an empty tuple narrows nothing.

    Attributes
    ----------
    backends : tuple of str
        Names of backends, which can run.
    cases, laws, environments, dtypes : tuple of str
        Patterns, of which one must fit.
    """

    backends: tuple[str, ...]
    cases: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether less runs than all cases, laws and float types on the backends."""
        return bool(self.cases or self.laws or self.environments or self.dtypes)

    def chosen_cases(self) -> list[Case]:
        """The cases."""
        return [case for case in all_cases() if _fits(self.cases, case.name)]

    def chosen_laws(self) -> list[Law]:
        """The laws."""
        return [law for law in LAWS if _fits(self.laws, law.name)]

    def chosen_environments(self) -> list[Environment]:
        """The environments."""
        found = environments(self.backends)
        return [env for env in found if _fits(self.environments, env.label)]

    def chosen_dtypes(self) -> list[str]:
        """Names of the float types."""
        return [name for name in FLOATS if _fits(self.dtypes, name)]

    def check(self) -> None:
        """Raise SelectionError where a pattern stands for nothing."""
        _check("--case", self.cases, [case.name for case in all_cases()])
        _check("--law", self.laws, [law.name for law in LAWS])
        if self.environments:
            found = environments(self.backends)
            _check("--environment", self.environments, [env.label for env in found])
        if self.dtypes:
            has = {name for env in self.chosen_environments() for name in env.dtypes()}
            _check("--dtypes", self.dtypes, [name for name in FLOATS if name in has])


def _fits(patterns: Sequence[str], name: str) -> bool:
    return not patterns or any(matches(pattern, name) for pattern in patterns)


def _check(option: str, patterns: Iterable[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(matches(pattern, name) for name in names):
            known = f" Known: {', '.join(names)}." if len(names) <= SHOWN_NAMES else ""
            raise SelectionError(
                f"{option} {pattern!r} fits none of {len(names)}{nearest(pattern, names)}{known}"
            )
