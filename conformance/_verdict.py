"""Whether a framework takes calls that were recorded, without computing anything with it.

That it has each function, and takes so many arguments of such names; not that it takes their
values, or computes the same. So CuPy can be asked where there is no GPU.
"""

import inspect
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any, NamedTuple

import agnostic_mask as am

from ._recorder import ARRAY, Call


class Verdict(NamedTuple):
    """What a framework would say of calls.

    Attributes
    ----------
    objections : list of str
        Calls that it does not take, and why.
    unchecked : list of str
        Calls of which that is not known, and why.
    """

    objections: list[str]
    unchecked: list[str]


def judged(calls: Iterable[Call], backend: str) -> Verdict:
    """Whether a framework has these functions, and takes such arguments; nothing is computed.

    Parameters
    ----------
    calls : iterable of Call
        What `namespace_calls` returned.
    backend : str
        Name of a backend. Its framework must be installed, and need not find a device.

    Returns
    -------
    Verdict

    Raises
    ------
    ImportError
        If the framework, or the backend, is not installed; the message says which.
    """
    knowledge, verdict = _loaded(backend), Verdict([], [])
    for call in calls:
        try:
            objection = _objection(call, knowledge)
        except _UncheckedError as unknown:
            verdict.unchecked.append(f"{call}: {unknown}")
            continue
        if objection is not None:
            verdict.objections.append(f"{call}: {objection}")
    return verdict


class _UncheckedError(Exception):
    """What keeps a call from being judged."""


def _loaded(name: str) -> am.Backend:
    # The list of usable backends leaves out one that finds no device.
    for point in entry_points(group="agnostic_mask.backends", name=name):
        try:
            found: am.Backend = point.load()
            found.namespace()
        except Exception as error:  # what a framework raises without its driver differs
            reason = f"{type(error).__name__}: {error}"
            raise ImportError(f"{name} cannot be imported: {reason}") from error
        return found
    raise ImportError(f"no installed package offers a backend called {name!r}")


def _objection(call: Call, knowledge: am.Backend) -> str | None:
    """Why a framework does not take a call, or None if it does."""
    of_array = call.name.startswith(ARRAY)
    classes = knowledge.array_types() if of_array else ()
    if of_array and not classes:
        raise _UncheckedError(f"the class of arrays of {knowledge.name} is not known")
    owner: Any = classes[0] if of_array else knowledge.namespace()
    who = f"{owner.__module__}.{owner.__qualname__}" if of_array else owner.__name__
    name = call.name.removeprefix(ARRAY)
    found = owner
    for part in name.split("."):
        if not hasattr(found, part):
            return f"{who} has no {name}"
        found = getattr(found, part)
    is_operator = of_array and name.endswith("__")  # which takes what the language gives it
    if call.positional is None or is_operator:
        return None
    signature = knowledge.signature_of(found)
    if signature is None:
        raise _UncheckedError(f"what arguments that of {who} takes is not known")
    positional = [None] * (call.positional + of_array)
    try:
        bound = signature.bind(*positional, **dict.fromkeys(call.keywords))
    except TypeError as error:
        return f"{who} has {name}{signature}: {error}"
    beyond = _beyond(signature, bound)
    if beyond:
        raise _UncheckedError(
            f"{who} hands {', '.join(beyond)} on, to where what is taken is not known"
        )
    if call.host:
        raise _UncheckedError(f"a NumPy array is among the arguments, which {who} may not take")
    return None


def _beyond(signature: inspect.Signature, bound: inspect.BoundArguments) -> list[str]:
    """Names of arguments that only the ``**kwargs`` of a function took."""
    kinds = signature.parameters
    return [
        name
        for parameter, given in bound.arguments.items()
        if kinds[parameter].kind is inspect.Parameter.VAR_KEYWORD
        for name in given
    ]
