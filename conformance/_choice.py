"""Which backends and float types a run is about."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import agnostic_mask as am

from ._environments import FLOATS, hardware, short
from ._globs import nearest


class ChoiceError(ValueError):
    """A name of a backend or a float type that does not exist, or cannot run."""


class MissingError(ChoiceError):
    """A required backend cannot run here, or has no device of a required kind."""


def chosen_backends(
    names: Sequence[str] | None, required: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Backends that can run, of those that are wanted, and the others with the reason of each.

    Parameters
    ----------
    names : sequence of str or None
        What is wanted; None for all that there are.
    required : sequence of str
        What is wanted besides, and must be able to run; ``"torch:cuda"`` on a device of that kind.

    Raises
    ------
    MissingError
        If a required backend or kind of device is not here.
    ChoiceError
        If there is no backend of a name, or none can run.
    """
    probes = am.available_backends()
    needed = [name.partition(":")[0] for name in required]
    for name in (*(names or ()), *needed):
        if name not in probes:
            raise ChoiceError(
                f"no backend is called {name!r}{nearest(name, list(probes))} "
                f"Known: {', '.join(probes)}"
            )
    wanted = dict.fromkeys((*(probes if names is None else names), *needed))
    not_run = {name: probes[name].reason for name in wanted if not probes[name].usable}
    whys = {name: _why_missing(name, probes[name.partition(":")[0]]) for name in required}
    missing = [f"{name}: {why}" for name, why in whys.items() if why is not None]
    if missing:
        raise MissingError(f"required, and cannot run: {'; '.join(missing)}")
    usable = [name for name in wanted if name not in not_run]
    if not usable:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in not_run.items())
        raise ChoiceError(f"none of the backends can run: {reasons}")
    return usable, not_run


def _why_missing(required: str, probe: am.Probe) -> str | None:
    """Say why what is required is not here; None if it is."""
    name, asked, kind = required.partition(":")
    if probe.backend is None:
        return probe.reason
    devices = probe.backend.devices()
    if not asked or any(_is_kind(device, kind) for device in devices):
        return None
    return f"{name} has no such device here, only {', '.join(map(short, devices))}"


def _is_kind(device: Any, kind: str) -> bool:
    return bool(kind) and (hardware(device) == kind or short(device).startswith(kind))


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
