"""Which backends and float types a run is about."""

from collections.abc import Sequence
from importlib.util import find_spec

import agnostic_mask as am

from ._environments import FLOATS
from ._globs import nearest


class ChoiceError(ValueError):
    """A name of a backend or a float type that does not exist, or cannot run."""


def chosen_backends(
    names: Sequence[str] | None, required: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Backends that can run, of those that are wanted, and the others with the reason of each.

    Parameters
    ----------
    names : sequence of str or None
        What is wanted; None for all that there are.
    required : sequence of str
        What is wanted besides, and must be able to run.

    Raises
    ------
    ChoiceError
        If there is no backend of a name, a required one cannot run, or none can.
    """
    probes = am.available_backends()
    for name in (*(names or ()), *required):
        if name not in probes:
            raise ChoiceError(
                f"no backend is called {name!r}{nearest(name, list(probes))} "
                f"Known: {', '.join(probes)}"
            )
    wanted = dict.fromkeys((*(probes if names is None else names), *required))
    not_run = {name: probes[name].reason for name in wanted if not probes[name].usable}
    missing = [f"{name}: {not_run[name]}" for name in required if name in not_run]
    if missing:
        raise ChoiceError(f"required, and cannot run: {'; '.join(missing)}")
    usable = [name for name in wanted if name not in not_run]
    if not usable:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in not_run.items())
        raise ChoiceError(f"none of the backends can run: {reasons}")
    return usable, not_run


def check_dtypes(names: Sequence[str]) -> None:
    """Raise ChoiceError unless all are names of float types."""
    for name in names:
        if name not in FLOATS:
            raise ChoiceError(
                f"no float type is called {name!r}{nearest(name, FLOATS)} Known: "
                f"{', '.join(FLOATS)}"
            )
    if "bfloat16" in names and find_spec("ml_dtypes") is None:
        raise ChoiceError("bfloat16 needs ml_dtypes, by which NumPy has it: pip install ml_dtypes")
