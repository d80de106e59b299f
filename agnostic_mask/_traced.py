"""What a compiler that traces Python need not look into."""

from collections.abc import Callable
from typing import TypeVar

_F = TypeVar("_F", bound=Callable[..., object])


def constant_in_traces(fn: _F) -> _F:
    """Let torch's compiler call a function while it traces, and take the result for a constant.

    Tables that the function looks things up in do not become conditions under which the compiled
    code holds: it is not made anew when other arrays add to them.
    """
    fn._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return fn
