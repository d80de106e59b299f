"""What is found out about a framework before anything is computed with it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agnostic_mask._backend import Backend


@dataclass(frozen=True)
class Probe:
    """Whether a backend can run here, and if not, why.

    Attributes
    ----------
    name : str
        The backend's name.
    usable : bool
        Whether an array can be made and computed with.
    version : str
        The framework's version, empty if it is not installed.
    devices : tuple of str
        The devices it can use.
    reason : str
        Why it is not usable, in the words of its runtime; empty if it is usable.
    backend : Backend or None
        The backend itself, if it is usable.
    """

    name: str
    usable: bool
    version: str = ""
    devices: tuple[str, ...] = ()
    reason: str = ""
    backend: "Backend | None" = field(default=None, repr=False, compare=False)
