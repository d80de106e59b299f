"""What a score function declares about itself, so that the objective may act on it."""

import functools
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from agnostic_mask import _classes
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape, position
from agnostic_mask._errors import ShapeMismatchError

_F = TypeVar("_F", bound=Callable[..., Any])

_ATTRIBUTE = "__agnostic_mask_scores__"


@dataclass(frozen=True)
class Declaration:
    """What a row-wise score function says of itself; see `scores` for the meanings."""

    class_axis: str | int | None
    dense: bool | None
    harmless: tuple[float, float]
    included: Callable[..., Array | None] | None
    finish: Callable[..., Array] | None


@dataclass(frozen=True)
class Bound:
    """A declaration and the options that `functools.partial` or defaults give the function.

    `parts` is the number of score arrays that a ratio of sums is made of; None for one that is
    no tuple.
    """

    name: str
    declaration: Declaration
    options: Mapping[str, Any]
    parts: int | None

    @property
    def rows(self) -> tuple[Any, bool | None]:
        """The class axis as it was given, and whether y_true has it: what shapes depend on."""
        axis = self.declaration.class_axis
        if isinstance(axis, str):
            axis = self.options[axis]
        return axis, self.declaration.dense

    def class_axis(self, rank: int) -> int | None:
        """Position of the class axis in a y_pred of this rank, or None if there is none.

        Raises
        ------
        AxisError
            If it is out of range.
        """
        axis, _ = self.rows
        return None if axis is None else position(axis, rank, "y_pred")

    def scores_shape(self, y_true: Shape, y_pred: Shape) -> Shape:
        """Shape of the scores.

        Raises
        ------
        ShapeMismatchError
            If y_true and y_pred do not have the shapes that were declared.
        """
        axis = self.class_axis(len(y_pred))
        if axis is None:
            if y_true != y_pred:
                raise ShapeMismatchError(
                    f"y_true has shape {y_true} and y_pred {y_pred}; {self.name} expects equal "
                    f"shapes. Nothing is broadcast: reshape one to the other"
                )
            return y_pred
        return _classes.rows_of(self.name, y_true, y_pred, axis, self.declaration.dense)

    def cut_along(self, y_true: Shape, y_pred: Shape) -> Shape | None:
        """Shape of the scores, None where the first axis is no axis of rows."""
        first = self.class_axis(len(y_pred)) == 0
        return None if first else self.scores_shape(y_true, y_pred)

    def included(self, y_true: Array) -> Array | None:
        """Mask of the elements that the function itself includes, or None for all."""
        rule = self.declaration.included
        return None if rule is None else rule(y_true, **self.options)

    def finished(self, reduced: Sequence[Array]) -> Array:
        """Value of what the parts were reduced to."""
        finish = self.declaration.finish
        return reduced[0] if finish is None else finish(*reduced, **self.options)


@overload
def scores(
    fn: None = None,
    /,
    *,
    class_axis: str | int | None = None,
    dense: bool | None = None,
    harmless: tuple[float, float] = (0.5, 0.5),
    included: Callable[..., Array | None] | None = None,
    finish: Callable[..., Array] | None = None,
) -> Callable[[_F], _F]: ...


@overload
def scores(
    fn: Callable[..., Array],
    /,
    *,
    class_axis: str | int | None = None,
    dense: bool | None = None,
    harmless: tuple[float, float] = (0.5, 0.5),
    included: Callable[..., Array | None] | None = None,
    finish: Callable[..., Array] | None = None,
) -> Callable[..., Array]: ...


def scores(
    fn: Callable[..., Array] | None = None,
    /,
    *,
    class_axis: str | int | None = None,
    dense: bool | None = None,
    harmless: tuple[float, float] = (0.5, 0.5),
    included: Callable[..., Array | None] | None = None,
    finish: Callable[..., Array] | None = None,
) -> Any:
    """Declare that the scores of a function are row-wise: each depends on its own row alone.

    Only then may an objective replace the excluded inputs by harmless ones, which keeps NaN
    out of the gradients, and cut large batches into tiles of rows, which several threads may score
    at once. Of a function that is not declared only the output is selected.

    Parameters
    ----------
    fn : callable, optional
        A function ``fn(y_true, y_pred, **options) -> scores``. Left out, `scores` is a decorator.
    class_axis : str or int, optional
        The axis of y_pred over which a row runs and which scores do not have, or the name
        of the option that says so. None: each score depends on its own element.
    dense : bool, optional
        Whether y_true has the class axis too, as one-hot labels have and integer labels have
        not. None: it may or may not.
    harmless : (float, float)
        Values of y_true and y_pred at which the function and its derivatives are finite. An
        integer y_true takes label 0 instead. Where no gradient and no trace can be watching
        (NumPy, CuPy, torch without gradients), excluded floating inputs come as they are, and these
        values only if that raised a floating point warning or an exception.
    included : callable, optional
        ``included(y_true, **options)`` returns a boolean array of the scores' shape, or None.
        What it excludes also leaves the denominators, as if by a mask.
    finish : callable, optional
        Of a ratio of sums: `fn` returns a tuple of arrays of scores, its parts. Each is masked,
        weighted and reduced like any other, and ``finish(*reduced, **options)`` makes the value of
        the numbers that they became, one positional parameter for each part.

    Returns
    -------
    callable
        As a decorator, which is written ``@scores()``, `fn` itself, marked. Called with `fn`, a
        `functools.partial` of it that is marked, so that a function of somebody else's stays as
        it is.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> @am.scores(harmless=(1.0, 1.0))
    ... def log_ratio(y_true, y_pred):
    ...     xp = am.dispatch(y_true, y_pred).xp
    ...     return xp.abs(xp.log(y_pred / y_true))
    >>> objective = am.weighted_masked_objective(log_ratio, reduction="mean")
    >>> y_true, y_pred = np.asarray([1.0, 0.0]), np.asarray([np.e, -1.0])
    >>> float(objective(y_true, y_pred, mask=np.asarray([True, False])))
    1.0
    """
    if isinstance(class_axis, bool) or not isinstance(class_axis, str | int | None):
        raise TypeError(
            f"class_axis is {class_axis!r}; expected an axis, the name of the option that says so, "
            f"or None"
        )
    if len(pair := _numbers(harmless)) != 2:
        raise TypeError(f"harmless is {harmless!r}; expected two numbers, for y_true and y_pred")
    for name, rule in (("fn", fn), ("included", included), ("finish", finish)):
        if rule is not None and not callable(rule):
            raise TypeError(f"{name} is a {type(rule).__name__}; expected a function")
    declaration = Declaration(class_axis, dense, (pair[0], pair[1]), included, finish)
    if fn is not None:
        return _marked(functools.partial(fn), declaration)
    return functools.partial(_marked, declaration=declaration)


def _numbers(x: Any) -> list[float]:
    return [v for v in x if isinstance(v, int | float)] if isinstance(x, tuple | list) else []


def _marked(fn: Any, declaration: Declaration) -> Any:
    setattr(fn, _ATTRIBUTE, declaration)
    return fn


def _positional(fn: Callable[..., Any]) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(fn).parameters.values())


def name_of(fn: Any) -> str:
    """Name of a callable for messages, seen through `functools.partial`."""
    fn = innermost(fn)
    return getattr(fn, "__name__", type(fn).__name__)


def innermost(fn: Any) -> Any:
    """The function within any number of `functools.partial`."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn


def is_ours(fn: Any) -> bool:
    """Whether a score function is of this package.

    Of these none looks at the values of elements, and none has parameters of its own that a
    derivative could be asked for.
    """
    return str(getattr(innermost(fn), "__module__", "")).startswith("agnostic_mask.")


def described(fn: Callable[..., Any]) -> str:
    """Name of a function with its module and its options, the same in every process."""
    given: dict[str, Any] = {}
    fixed: tuple[Any, ...] = ()
    while isinstance(fn, functools.partial):
        given, fixed, fn = {**fn.keywords, **given}, (*fn.args, *fixed), fn.func
    options = {**_defaults(fn), **given}
    shown = [*map(_shown, fixed), *(f"{name}={_shown(x)}" for name, x in sorted(options.items()))]
    home: str = getattr(fn, "__module__", None) or type(fn).__module__
    module = ".".join(part for part in home.split(".") if not part.startswith("_"))
    name = getattr(fn, "__qualname__", type(fn).__qualname__)
    return f"{module}.{name}({', '.join(shown)})"


def _shown(x: Any) -> str:
    if isinstance(x, tuple | list):
        return f"({', '.join(map(_shown, x))})"
    if isinstance(x, bool | str | None):
        return repr(x)
    if (number := _number(x)) is not None:
        return repr(number)
    return described(x) if callable(x) else type(x).__qualname__  # never the elements of an array


def _number(x: Any) -> float | int | None:
    """A number of whatever type, so that 1, 1.0 and NumPy's are shown alike; None for no number."""
    if isinstance(x, float):
        return int(x) if x.is_integer() else float(x)
    try:
        return operator.index(x)
    except TypeError:
        return float(x) if hasattr(x, "dtype") and getattr(x, "shape", None) == () else None


def declared(fn: Callable[..., Any]) -> Bound | None:
    """The declaration of `fn`, seen through `functools.partial`, or None if there is none.

    A partial that fixes positional arguments is no longer a function of (y_true, y_pred), and
    counts as not declared.
    """
    given: dict[str, Any] = {}
    inner: Any = fn
    declaration = getattr(inner, _ATTRIBUTE, None)
    while isinstance(inner, functools.partial):
        if inner.args:
            return None
        given = {**inner.keywords, **given}
        inner = inner.func
        declaration = declaration or getattr(inner, _ATTRIBUTE, None)
    if declaration is None:
        return None
    options = {**_defaults(inner), **given}
    axis = declaration.class_axis
    if isinstance(axis, str) and axis not in options:
        raise TypeError(
            f"{name_of(inner)} declares class_axis={axis!r}, but has no option of that name with a "
            f"value; expected one of {', '.join(options) or 'its options'}. Give it a default, or "
            f"give it by functools.partial"
        )
    parts = None if declaration.finish is None else _positional(declaration.finish)
    return Bound(name_of(inner), declaration, options, parts)


def _defaults(fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # functions written in C need not have a signature
        return {}
    named = (p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD))
    return {p.name: p.default for p in named if p.default is not p.empty}
