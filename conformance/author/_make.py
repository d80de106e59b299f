"""Declare a case."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .. import laws as ours
from .._environments import FLOATS
from .._globs import nearest
from ..laws import Law
from . import _laws as theirs
from ._calling import name_of
from ._case import FunctionCase
from ._inputs import Cover, Input, Masks, Weights, input_of

BASIC = (
    ours.matches_oracle,
    ours.backends_agree,
    ours.stays_home,
    ours.dtype_kept,
    ours.inputs_untouched,
    ours.nothing_hidden,
)
"""Laws that every case is checked under."""

DTYPES = (
    *FLOATS,
    "default",
    "bool",
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
)


def case(
    fn: Callable[..., Any],
    /,
    *,
    oracle: Callable[..., Any] | None = None,
    laws: Sequence[Law] = (),
    not_applicable: Mapping[Law, str] | None = None,
    name: str | None = None,
    dtype: str | None = None,
    terms: Callable[..., Any] | None = None,
    roundings: int = 16,
    **arguments: Any,
) -> FunctionCase:
    """Declare a function, its inputs, what is right, and the laws that hold for it.

    Parameters
    ----------
    fn : callable
        Any function of arrays that returns one array. It is called with the arguments by name, or
        by position where it takes them so alone.
    oracle : callable, optional
        Takes the same inputs by name (a single one by position), as NumPy arrays of float64 or
        wider, and returns what is right. Without one the same code runs in higher precision, on
        NumPy: this shows roundings and what frameworks do differently, and no wrong formula.
    laws : sequence of Law, optional
        Those that hold, beside `BASIC`, which hold for every function.
    not_applicable : mapping of Law to str, optional
        Basic laws that do not hold for this function, and why.
    name : str, optional
        Of the case in reports; the function's name by default.
    dtype : str, optional
        Name of the result's dtype, or "default" for the framework's default float; that of the
        floating inputs if it is not given.
    terms : callable, optional
        Takes what `oracle` takes and returns the numbers, at the result's shape, that roundings
        are relative to; by default the sum of ``|x_i df/dx_i|``, found by differences.
    roundings : int
        How many roundings of the float type under test an element meets on its way, sums aside.
    **arguments
        Inputs, made by `floats`, `integers`, `masks` and `weights`, or NumPy arrays, or strategies
        of hypothesis that draw such; anything else is an option, passed on as it is.

    Returns
    -------
    FunctionCase
        `as_test()` makes a test for pytest of it, `report` runs it right away.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a law can have nothing to check.

    Notes
    -----
    A result r of float32 may be ``(1 + roundings) u |r| + (roundings + n) u terms`` off, with
    u = 2**-24 and n the number of elements, of which each sum may round every one, and besides
    ``roundings`` times the least normal number.

    Examples
    --------
    >>> import numpy as np
    >>> from array_api_compat import array_namespace
    >>> from agnostic_mask import conformance as c
    >>> def root_mean_square(x):
    ...     xp = array_namespace(x)
    ...     return xp.sqrt(xp.mean(x * x))
    >>> checked = c.case(
    ...     root_mean_square,
    ...     x=c.floats((8, 5), low=-3, high=3),
    ...     oracle=lambda x: np.sqrt(np.mean(x**2)),
    ...     laws=[c.order_invariant],
    ... )
    >>> report = c.report(checked, backends=["numpy"])
    >>> report.failed
    0
    """
    if not isinstance(name, str | None) or name == "":
        raise TypeError(f"name={name!r}: expected text")
    called = name_of(fn) if name is None else name
    inputs: dict[str, Input] = {}
    options = {}
    for argument, value in arguments.items():
        made = input_of(argument, value)
        if made is None:
            options[argument] = value
        else:
            inputs[argument] = made
    if not inputs:
        others = "".join(f". {n}, of {type(x)}, is an option" for n, x in options.items())
        raise ValueError(
            f"{called}: no argument is an array; give one at least, as in x=c.floats((8, 5))"
            f"{others}"
        )
    _check_covers(called, inputs)
    if isinstance(laws, str | Law) or not isinstance(laws, Iterable):
        raise TypeError(f"laws={laws!r}: expected a list of laws, as in laws=[c.gradient]")
    if not isinstance(not_applicable, Mapping | None):
        raise TypeError(
            f"not_applicable={not_applicable!r}: expected a dict of laws and why each does not "
            f'apply, as in {{c.dtype_kept: "counts are int64"}}'
        )
    laws, objections = tuple(laws), dict(not_applicable or {})
    wanted = [*BASIC, *laws]
    for law in (*wanted, *objections):
        _check_law(law)
    for law in objections:
        if law not in wanted:
            raise ValueError(f"not_applicable: {law.name} is not among the laws of {called}")
        if not objections[law]:
            raise ValueError(f"not_applicable: {law.name} has no reason; say why it does not apply")
    _check_names(called, wanted)
    if dtype is None and not any(made.floating for made in inputs.values()):
        raise ValueError(
            f"{called}: no input is floating, so that the result's dtype does not follow; give "
            f"it: dtype='int64', or dtype='default' for the framework's default float"
        )
    if dtype is not None and dtype not in DTYPES:
        meant = nearest(str(dtype), DTYPES)
        raise ValueError(
            f"dtype={dtype!r}: expected the name of the result's dtype{meant} "
            f"Known: {', '.join(DTYPES)}. Pass an option of this name by functools.partial"
        )
    for what, callee in (("fn", fn), ("oracle", oracle), ("terms", terms)):
        if not callable(callee) and not (callee is None and what != "fn"):
            raise TypeError(f"{what}={callee!r}: expected a function")
    if not isinstance(roundings, int) or roundings < 0:
        raise ValueError(f"roundings={roundings!r}: expected an integer of at least 0")
    _check_called(fn, called, [*inputs, *options])
    found = FunctionCase(
        fn,
        called,
        inputs,
        options,
        tuple(dict.fromkeys(wanted)),
        {law.name: why for law, why in objections.items()},
        oracle=oracle,
        terms=terms,
        dtype=dtype,
        roundings=roundings,
    )
    for law in laws:
        _check_fits(law, found, inputs)
    return found


def _check_names(called: str, laws: Sequence[Law]) -> None:
    by_name: dict[str, Law] = {}
    for law in laws:
        if by_name.setdefault(law.name, law) is not law:
            raise ValueError(
                f"laws: two laws of {called} are called {law.name}; give yours another name"
            )


def _check_law(law: Any) -> None:
    if isinstance(law, Law):
        return
    laws = (x for x in (*vars(ours).values(), *vars(theirs).values()) if isinstance(x, Law))
    known = [law.name for law in laws if law is not ours.cut_invariant]
    near = difflib.get_close_matches(str(law), known, n=1)
    meant = f"Did you mean c.{near[0]}?" if near else f"Known: {', '.join(sorted(set(known)))}."
    raise TypeError(
        f"laws: {law!r} is not a law. {meant} Make one of a function of yours by @c.law"
    )


def _check_called(fn: Callable[..., Any], called: str, names: Sequence[str]) -> None:
    """Raise TypeError unless a function can be called with arguments of these names."""
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # of some functions in C
        return
    takes = [n for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in names:
            if name not in takes:
                raise TypeError(
                    f"{name}: {called} takes no such argument{nearest(name, takes)} It takes "
                    f"{', '.join(takes) or 'none'}"
                )
    for name in takes:
        if name not in names and parameters[name].default is inspect.Parameter.empty:
            raise TypeError(f"{called} needs {name}, which was not given{_meant(name)}")


def _meant(name: str) -> str:
    if name in inspect.signature(case).parameters:
        return f": c.case takes {name}= for itself; pass it by functools.partial(fn, {name}=...)"
    made = {"mask": 'c.masks(over="x")', "weights": 'c.weights(over="x")'}
    return f": {name}={made.get(name, 'c.floats((8, 5))')}"


def _check_covers(called: str, inputs: Mapping[str, Input]) -> None:
    for kind in (Masks, Weights):
        names = [name for name, made in inputs.items() if isinstance(made, kind)]
        if len(names) > 1:
            raise ValueError(
                f"{called}: {' and '.join(names)} are both {kind.__name__.lower()}; expected one. "
                f"Give the other as a NumPy array, or by c.floats or c.integers"
            )
    for name, made in inputs.items():
        for under in made.over if isinstance(made, Cover) else ():
            if under not in inputs or isinstance(inputs[under], Cover):
                values = [n for n, x in inputs.items() if not isinstance(x, Cover)]
                raise ValueError(
                    f"{name}: over={under!r} is no input of {called}; expected one of {values}"
                )
        if isinstance(made, Cover):
            _check_alike(name, made, inputs)
        if isinstance(made, Cover) and made.axes is not None:
            beneath = inputs[made.over[0]].known_shape()
            if beneath is not None and made.axes > len(beneath):
                raise ValueError(
                    f"{name}: axes={made.axes}, and {made.over[0]}, which it covers, has shape "
                    f"{beneath}; expected {len(beneath)} at most"
                )


def _check_alike(name: str, cover: Cover, inputs: Mapping[str, Input]) -> None:
    """Raise ValueError where what is covered differs along the axes of its cover."""
    shapes = {under: inputs[under].known_shape() for under in cover.over}
    known = {under: shape[: cover.axes] for under, shape in shapes.items() if shape is not None}
    if len(set(known.values())) > 1:
        said = ", ".join(f"{under} {shapes[under]}" for under in known)
        axes = "all axes" if cover.axes is None else f"axes={cover.axes}"
        raise ValueError(
            f"{name}: covers {said} along {axes}; expected the same lengths there. Give axes= for "
            f"those that they have in common"
        )


def _check_fits(law: Law, case: FunctionCase, inputs: Mapping[str, Input]) -> None:
    """Raise ValueError if a law, that its author asks for, could have nothing to check."""
    weighs = next((x for x in inputs.values() if isinstance(x, Weights)), None)
    covers = [x for x in inputs.values() if isinstance(x, Cover)]
    by_row = isinstance(weighs, Weights) and _axes(weighs, inputs) in (1, None)
    first = covers[0].over[0] if covers else next(iter(case.floating or inputs))
    shape = inputs[first].known_shape() if first in inputs else None
    several = shape is None or (len(shape) > 0 and shape[0] > 1)
    rows = "inputs of at least two rows, c.floats((8, 5))"
    needs = {
        ours.excluded_is_absent: (covers, "a mask or weights"),
        ours.exclusion_is_removal: (covers, "a mask or weights"),
        theirs.covers_leading_axes: (
            [x for x in covers if x.axes is not None and (shape is None or x.axes < len(shape))],
            "a mask or weights that cover some leading axes, and not all: axes=1",
        ),
        ours.scale_invariant: (
            case.kind in ("real", "positive"),
            'weights that are not integers: c.weights(..., kind="positive")',
        ),
        ours.weight_is_repetition: (
            case.kind == "integer" and by_row,
            'weights of rows that are integers: c.weights(..., axes=1, kind="integer")',
        ),
        ours.gradient: (
            case.floating and case.result_dtype("float32").startswith(("float", "default")),
            "a floating input and a floating result",
        ),
        theirs.accumulates_wide: (case.floating and several, f"floating {rows}"),
        ours.order_invariant: (several, rows),
        ours.holds_for_degenerate: (several, rows),
        ours.cut_invariant: (False, "a metric with zero, update, merge and compute"),
    }
    met, what = needs.get(law, (True, ""))
    if not met:
        raise ValueError(f"laws: {law.name} needs {what}, which {case.name} has not")


def _axes(cover: Cover, inputs: Mapping[str, Input]) -> int | None:
    """Number of axes of a cover, None where it is not known before inputs are made."""
    if cover.axes is not None:
        return cover.axes
    shape = inputs[cover.over[0]].known_shape()
    return None if shape is None else len(shape)
