"""Calls of every public function on arrays alone, for tests that trace, compile or delay them.

Imported by tests and by the scripts that these run in fresh processes, so it imports no
framework and calls nothing of the package while it is imported.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import agnostic_mask as am
from agnostic_mask.conformance.cases import (
    CurveCase,
    MetricCase,
    QueryCase,
    UncertaintyCase,
    all_cases,
)

SHAPE = (4, 3, 2)
REDUCTIONS = ("keras2", "keras3", "mean", "sum", "none")
STATEFUL = REDUCTIONS[:-1]
CLASS_AXIS, IGNORED = 1, -100  # of labels
COVERS = (  # ranks of mask and weights: none, equal, either one coarser, dimensions of 1
    (None, None),
    ((4,), None),
    (None, (4,)),
    ((4, 3), (4,)),
    ((4,), (4, 3, 2)),
    ((1, 3), (4, 1, 2)),
)


@dataclass(frozen=True)
class Call:
    """A function of arrays, and arrays to call it with.

    Attributes
    ----------
    name : str
    covers : str
        The public function that it is there for.
    fn : callable
    arrays : dict of str to numpy.ndarray
        Positional arguments, in order.
    smooth : tuple of str
        Those of them for which there is a gradient to compare.
    """

    name: str
    covers: str
    fn: Callable[..., Any]
    arrays: dict[str, np.ndarray]
    smooth: tuple[str, ...] = ()

    def excluded(self) -> np.ndarray:
        """Where elements of the first array do not count."""
        first = next(iter(self.arrays.values()))
        shape = first.shape
        include = first != IGNORED
        for name in ("mask", "weights"):
            if name in self.arrays:
                x = self.arrays[name]
                include &= (x != 0).reshape(x.shape + (1,) * (len(shape) - x.ndim))
        return ~include


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _cover(mask: Any, weights: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    found = {}
    if weights is not None:
        found["weights"] = rng.uniform(0.5, 2.0, weights).astype(np.float32)
        found["weights"].reshape(-1)[-1] = 0.0
    if mask is not None:
        found["mask"] = np.ones(mask, dtype=bool)
        found["mask"].reshape(-1)[::3] = False
    return found


def _garbage(call: Call, *names: str) -> Call:
    """`call` with NaN where its arrays `names` do not count, so that exclusion is at work."""
    excluded = call.excluded()
    for name in names:
        call.arrays[name][excluded] = np.nan
    return call


def with_seed(call: Call, seed: int) -> Call:
    """The same call on other numbers: floats scaled, so that what counts stays as it is."""
    scale = np.float32(1 - seed / 8)
    arrays = {n: x * scale if x.dtype.kind == "f" else x for n, x in call.arrays.items()}
    return Call(call.name, call.covers, call.fn, arrays, call.smooth)


def stacked(call: Call, n: int = 3) -> list[np.ndarray]:
    """Arguments of `n` calls on different numbers, stacked."""
    parts = (with_seed(call, i).arrays.values() for i in range(n))
    return [np.stack(x) for x in zip(*parts, strict=True)]


def of_objective(objective: am.Objective, names: tuple[str, ...]) -> Callable[..., Any]:
    """`objective` as a function of positional arrays, of which `names` are given."""

    def fn(*arrays: Any) -> Any:
        return objective(**dict(zip(names, arrays, strict=True)))

    return fn


def in_two_parts(objective: am.Objective, names: tuple[str, ...]) -> Callable[..., Any]:
    """All four verbs in one: the value of a batch that is met twice."""

    def fn(*arrays: Any) -> Any:
        batch = dict(zip(names, arrays, strict=True))
        once = objective.update(objective.zero(like=batch["y_pred"]), **batch)
        again = objective.update(objective.zero(like=once), **batch)
        return objective.compute(objective.merge(once, again))

    return fn


@am.scores(harmless=(1.0, 1.0))
def log_ratio(y_true: Any, y_pred: Any) -> Any:
    """A caller's own row-wise function, with a logarithm in it and the dispatcher."""
    xp = am.dispatch(y_true, y_pred).xp
    ratio = xp.log(y_pred / y_true)
    return ratio * ratio


def undeclared(y_true: Any, y_pred: Any) -> Any:
    """A caller's function that declares nothing: only its output can be selected."""
    return (y_true - y_pred) ** 2


@am.agnostic
def geometric_mean(x: Any, /, *, xp: Any) -> Any:
    """A function of an author who uses the decorator."""
    return xp.exp(xp.mean(xp.log(x)))


def _objectives() -> list[Call]:
    found = []
    covers = "weighted_masked_objective"

    def add(name: str, objective: Any, arrays: dict[str, np.ndarray], *, parts: bool) -> None:
        names = tuple(arrays)
        smooth = tuple(n for n in ("y_pred", "weights") if n in arrays)
        fn = of_objective(objective, names)
        call = Call(f"objective {name}", covers, fn, arrays, smooth)
        found.append(_garbage(call, "y_true", "y_pred"))
        if parts:
            fn = in_two_parts(objective, names)
            found.append(Call(f"verbs {name}", covers, fn, arrays, smooth))

    for reduction in REDUCTIONS:
        for mask, weights in COVERS:
            rng = _rng()
            arrays = {
                "y_true": rng.uniform(0.1, 0.9, SHAPE).astype(np.float32),
                "y_pred": rng.uniform(0.1, 0.9, SHAPE).astype(np.float32),
                **_cover(mask, weights, rng),
            }
            objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
            parts = reduction != "none" and (mask, weights) in (COVERS[0], COVERS[3])
            add(f"{reduction} mask {mask} weights {weights}", objective, arrays, parts=parts)
    own: dict[str, Any] = {
        "log_ratio": log_ratio,
        "huber by partial": functools.partial(am.losses.huber, delta=0.25),
    }
    for name, fn in own.items():
        objective = am.weighted_masked_objective(fn, reduction="mean", empty=0.0)
        arrays = {
            "y_true": _rng(1).uniform(0.1, 0.9, SHAPE).astype(np.float32),
            "y_pred": _rng(2).uniform(0.1, 0.9, SHAPE).astype(np.float32),
            **_cover((4, 3), (4,), _rng(3)),
        }
        add(f"of {name}", objective, arrays, parts=False)
    arrays = {k: np.array(v) for k, v in arrays.items()}
    for name in ("y_true", "y_pred"):  # whose gradient would be NaN where it is NaN
        arrays[name][np.isnan(arrays[name])] = 0.5
    names = "y_true", "y_pred", "weights", "mask"
    fn = of_objective(am.weighted_masked_objective(undeclared, reduction="mean"), names)
    found.append(
        Call(
            "objective of undeclared",
            covers,
            fn,
            arrays,
            ("y_pred", "weights"),
        )
    )
    soft = {
        "y_true": arrays["y_true"],
        "y_pred": arrays["y_pred"],
        "mask": np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3),
    }
    fn = of_objective(am.weighted_masked_objective(am.losses.squared_error), tuple(soft))
    found.append(Call("objective keras2 soft mask", covers, fn, soft, ("y_pred", "mask")))
    sparse = functools.partial(
        am.losses.sparse_categorical_crossentropy,
        from_logits=True,
        ignore_class=IGNORED,
        axis=CLASS_AXIS,
    )
    labels = {
        "y_true": np.asarray([[0, 2], [1, IGNORED], [2, 2], [IGNORED, 0]], dtype=np.int32),
        "y_pred": _rng(4).normal(size=SHAPE).astype(np.float32),
        **_cover(None, (4,), _rng(5)),
    }
    for reduction in STATEFUL:
        fn = of_objective(am.weighted_masked_objective(sparse, reduction=reduction), tuple(labels))
        name = f"objective {reduction} of labels, one class ignored"
        found.append(Call(name, covers, fn, labels, ("y_pred",)))
    return found


def _reductions() -> list[Call]:
    found = []
    for name in ("sum", "mean", "var", "std", "count", "sum_of_weights", "min", "max", "logsumexp"):
        smooth = ("x",) if name in ("sum", "mean", "var", "std", "logsumexp") else ()
        found += _reduction(name, smooth)
    for name in ("any", "all"):
        found += _reduction(name, ())
        fn = functools.partial(getattr(am, name), axis=0)
        truth = {"x": _rng(7).random(SHAPE) < 0.5}
        found.append(Call(f"{name} of booleans", name, fn, truth))
    for name in ("sum", "mean", "min", "max"):
        fn = functools.partial(_positional, getattr(am, name), ("x", "mask"), axis=-1)
        integers = {"x": _rng(8).integers(-9, 9, SHAPE).astype(np.int32)}
        mask = _cover((4, 3), None, _rng())
        found.append(Call(f"{name} of integers", name, fn, {**integers, **mask}))
    for axis in (None, -1, (0, 1)):
        fn = functools.partial(_positional, am.softmax, ("x", "mask"), axis=axis)
        arrays = {
            "x": _rng(6).normal(size=SHAPE).astype(np.float32),
            **_cover((4, 3), None, _rng()),
        }
        found.append(Call(f"softmax axis {axis}", "softmax", fn, arrays, ("x",)))
    return found + _more_reductions() + _grouped()


FULL, ROWS, BARE = ((4, 3), (4,)), ((4, 3), None), (None, None)
MORE_REDUCTIONS: tuple[tuple[str, dict[str, Any], Any, tuple[str, ...]], ...] = (
    ("standard_error", {"axis": 1}, FULL, ("x",)),
    ("argmin", {"axis": 1}, FULL, ()),
    ("argmax", {}, ROWS, ()),
    ("vector_norm", {"axis": 0}, FULL, ("x", "weights")),
    ("vector_norm", {"ord": 3}, BARE, ("x",)),
    ("cumulative_sum", {"axis": 1}, FULL, ("x", "weights")),
    ("cumulative_sum", {"axis": 0, "include_initial": True}, ROWS, ("x",)),
    ("cov", {}, ((4,), (4,)), ("x",)),
    ("corrcoef", {"axis": (0, 1)}, FULL, ("x",)),
    ("median", {"axis": 0, "keepdims": True}, FULL, ("x",)),
    ("median", {}, ROWS, ("x",)),
    ("quantile", {"q": (0.25, 0.6), "axis": (0, 2)}, ROWS, ("x",)),
    ("quantile", {"q": 0.3, "method": "inverted_cdf"}, FULL, ("x",)),
)
GROUPED: tuple[tuple[str, dict[str, Any], Any, tuple[str, ...]], ...] = (
    ("sum", {"axis": (0, 1)}, FULL, ("x", "weights")),
    ("mean", {}, FULL, ("x", "weights")),
    ("var", {"axis": 0, "keepdims": True}, FULL, ("x",)),
    ("max", {}, ROWS, ()),
    ("all", {"axis": 1}, ROWS, ()),
    ("argmin", {}, FULL, ()),
    ("vector_norm", {"ord": 3}, FULL, ("x",)),
    ("logsumexp", {"axis": (0, 1)}, ROWS, ("x",)),
    ("cov", {"axis": (0, 1)}, FULL, ("x",)),
    ("quantile", {"q": (0.25, 0.6), "axis": (0, 1)}, ROWS, ("x",)),
    ("median", {}, FULL, ("x",)),
    ("histogram", {"bins": 3}, FULL, ()),
)
"""Reductions by groups, of which the last has no element."""


def _more_reductions() -> list[Call]:
    found = []
    for name, options, (mask, weights), smooth in MORE_REDUCTIONS:
        rng, given = _rng(6), dict(options)
        arrays = {"x": rng.normal(size=SHAPE).astype(np.float32), **_cover(mask, weights, rng)}
        of = getattr(am, name)
        if "q" in given:
            of = functools.partial(_shares, given.pop("q"))
        fn = functools.partial(_positional, of, tuple(arrays), **given)
        label = f"{name} mask {mask} weights {weights} {options}"
        found.append(_garbage(Call(label, name, fn, arrays, smooth), "x"))
    # Its value is -Inf where excluded, which the projection of a result cannot add up.
    x = {"x": _rng(6).normal(size=SHAPE).astype(np.float32)}
    fn = functools.partial(am.log_softmax, axis=-1)
    found.append(Call("log_softmax", "log_softmax", fn, x, ("x",)))
    for part, (options, (mask, weights)) in itertools.product(
        (0, 1), (({"bins": 3}, FULL), ({"bins": 4, "range": (-1, 1)}, ROWS))
    ):
        arrays = {**{n: a.copy() for n, a in x.items()}, **_cover(mask, weights, _rng(7))}
        fn = functools.partial(_positional, _part_of_histogram, tuple(arrays), part=part, **options)
        label = f"histogram {('counts', 'edges')[part]} mask {mask} weights {weights} {options}"
        found.append(_garbage(Call(label, "histogram", fn, arrays), "x"))
    fn = functools.partial(_positional, _edges_given, ("x", "edges"))
    edges = {"edges": np.asarray([-1.0, 0.0, 0.5], dtype=np.float32)}
    found.append(Call("histogram, edges as an array", "histogram", fn, {**x, **edges}))
    return found


def _grouped() -> list[Call]:
    found = []
    for name, options, (mask, weights), smooth in GROUPED:
        rng, given = _rng(6), {"num_groups": 3, **options}
        arrays = {"x": rng.normal(size=SHAPE).astype(np.float32), **_cover(mask, weights, rng)}
        arrays["by"] = np.asarray([[0, 1, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]], dtype=np.int32)
        of = getattr(am, name)
        if "q" in given:
            of = functools.partial(_shares, given.pop("q"))
        if name == "histogram":
            of = functools.partial(_part_of_histogram, part=0)
        if smooth:  # the values of the empty group cannot be added up
            of = functools.partial(_all_but_the_last, of)
        fn = functools.partial(_positional, of, tuple(arrays), **given)
        found.append(_garbage(Call(f"{name} by groups {options}", name, fn, arrays, smooth), "x"))
    return found


def _all_but_the_last(of: Any, x: Any, **options: Any) -> Any:
    return of(x, **options)[:-1, ...]


def _shares(q: Any, x: Any, **options: Any) -> Any:
    return am.quantile(x, q, **options)


def _part_of_histogram(x: Any, *, part: int, **options: Any) -> Any:
    return am.histogram(x, **options)[part]


def _edges_given(x: Any, *, edges: Any) -> Any:
    return am.histogram(x, bins=edges)[0]


def _positional(fn: Any, names: tuple[str, ...], *arrays: Any, **options: Any) -> Any:
    x, *rest = arrays
    return fn(x, **dict(zip(names[1:], rest, strict=True)), **options)


def _reduction(name: str, smooth: tuple[str, ...]) -> list[Call]:
    found = []
    variants = [(None, False, COVERS[3]), (1, True, COVERS[4]), ((0, -1), False, COVERS[5])]
    if name in ("sum", "var", "max"):  # one of each way to reduce
        variants += [(None, False, COVERS[0]), ((), False, COVERS[1])]
    for axis, keepdims, (mask, weights) in variants:
        rng = _rng(6)
        arrays = {"x": rng.normal(size=SHAPE).astype(np.float32), **_cover(mask, weights, rng)}
        fn = functools.partial(
            _positional, getattr(am, name), tuple(arrays), axis=axis, keepdims=keepdims
        )
        label = f"{name} axis {axis} mask {mask} weights {weights}"
        found.append(_garbage(Call(label, name, fn, arrays, smooth), "x"))
    return found


def _losses() -> list[Call]:
    rng = _rng(9)
    y_true, y_pred = (rng.uniform(0.1, 0.9, SHAPE).astype(np.float32) for _ in range(2))
    labels = rng.integers(0, 2, SHAPE[:-1]).astype(np.int32)
    options: dict[str, list[dict[str, Any]]] = {
        "squared_error": [{}],
        "absolute_error": [{}],
        "absolute_percentage_error": [{}],
        "binary_crossentropy": [
            {"label_smoothing": 0.1},
            {"from_logits": True},
            {"from_logits": True, "pos_weight": 2.0},
        ],
        "binary_focal_crossentropy": [{"apply_class_balancing": True}, {"from_logits": True}],
        "categorical_crossentropy": [{"axis": 1}, {"from_logits": True}],
        "categorical_focal_crossentropy": [{"axis": 1}, {"from_logits": True, "gamma": 1.5}],
        "categorical_generalized_cross_entropy": [{}],
        "categorical_hinge": [{}],
        "charbonnier": [{"epsilon": 0.25}],
        "cosine_similarity": [{"axis": 1}],
        "gamma_deviance": [{}],
        "gaussian_nll": [{"full": True}],
        "hinge": [{}],
        "huber": [{"delta": 0.25}],
        "js_divergence": [{}],
        "kl_divergence": [{}, {"log_input": True, "log_target": True}],
        "log_cosh": [{}],
        "nll": [{"ignore_class": 1}],
        "pinball": [{"quantile": 0.25}],
        "poisson": [{}, {"log_input": True}],
        "smooth_l1": [{"beta": 0.25}],
        "sparse_categorical_crossentropy": [{}, {"from_logits": True, "ignore_class": 1}],
        "squared_hinge": [{}],
        "squared_logarithmic_error": [{}],
        "symmetric_absolute_percentage_error": [{}],
        "tweedie_deviance": [{"power": 1}, {"power": 3}],
    }
    takes_labels = (
        "sparse_categorical_crossentropy",
        "categorical_generalized_cross_entropy",
        "nll",
    )
    found = []
    for name, variants in options.items():
        first = labels if name in takes_labels else y_true
        if name == "gaussian_nll":
            first = y_true[..., 0]
        for given in variants:
            fn = functools.partial(getattr(am.losses, name), **given)
            # Of numbers that are close a deviance leaves little but the roundings of both.
            second = y_pred + 4 if name == "tweedie_deviance" else y_pred
            arrays = {"y_true": first, "y_pred": second}
            found.append(Call(f"losses.{name} {given}", f"losses.{name}", fn, arrays, ()))
    for name in ("dice", "jaccard", "tversky"):  # ratios of sums, whose scores come in parts
        objective = am.weighted_masked_objective(getattr(am.losses, name), reduction="mean")
        arrays = {"y_true": y_true, "y_pred": y_pred}
        fn = of_objective(objective, tuple(arrays))
        found.append(Call(f"losses.{name}", f"losses.{name}", fn, arrays, ("y_pred",)))
    return found


def _helpers() -> list[Call]:
    labels = np.asarray([0, 2, IGNORED, 1], dtype=np.int32)
    table = np.asarray([1.0, 2.0, 5.0], dtype=np.float32)
    lengths = np.asarray([0, 3, 9], dtype=np.int32)
    positive = _rng(10).uniform(0.5, 2.0, (5,)).astype(np.float32)
    return [
        Call(
            "sequence_mask",
            "sequence_mask",
            functools.partial(am.sequence_mask, maxlen=4),
            {"lengths": lengths},
        ),
        Call(
            "class_weights", "class_weights", am.class_weights, {"y_true": labels, "table": table}
        ),
        Call("agnostic", "agnostic", geometric_mean, {"x": positive}, ("x",)),
        Call("convert at home", "convert", lambda x: am.convert(x, like=x) + 1, {"x": positive}),
    ]


def _metrics() -> list[Call]:
    found, cases = [], all_cases()
    chosen = [case for case in cases if isinstance(case, MetricCase | QueryCase)]
    # One of each will do of those that have many operations.
    wrapped = {c.covers: c for c in reversed(cases) if isinstance(c, UncertaintyCase)}
    for case in [*chosen, *wrapped.values()]:
        inputs = case.inputs(_rng(11))
        narrow = {"f": np.float32, "i": np.int32, "b": np.bool_}
        arrays = {name: x.astype(narrow[x.dtype.kind]) for name, x in inputs.items()}
        rows = case.class_axis(2) is not None
        # Counts in float64 are wider than what JAX multiplies them by.
        counts = case.result_dtype("float32") == "float64"
        smooth = () if rows or counts or case.why_not("gradient") else tuple(case.smooth())
        fn = of_objective(case.metric, tuple(arrays))
        found.append(Call(case.name.partition(" mask")[0], case.covers, fn, arrays, smooth))
    return found


def _curves() -> list[Call]:
    found = []
    for case in all_cases():
        if not isinstance(case, CurveCase):
            continue
        arrays = {
            n: x if x.dtype.kind != "f" else x.astype(np.float32)
            for n, x in case.inputs(_rng(11)).items()
        }
        fn = of_objective(getattr(am.metrics, case.function), tuple(arrays))
        call = Call(case.name, case.covers, fn, arrays, tuple(case.smooth()))
        found.append(_garbage(call, "y_pred"))
    return found


CALLS = [*_objectives(), *_reductions(), *_losses(), *_metrics(), *_curves(), *_helpers()]

_KINDS_OF_STATES = ("Mean", "R2Score", "MaxError", "D2TweedieScore", "Precision")
_FAMILIES = {f"metrics.{n}" for n in am.metrics.__all__ if n not in _KINDS_OF_STATES}
_FAMILIES |= {f"losses.{n}" for n in am.losses.__all__}
_ONE_A_FUNCTION = {call.covers: call for call in reversed(CALLS) if call.covers not in _FAMILIES}
FIRST_CALLS = [
    call
    for call in CALLS
    if call.covers == "weighted_masked_objective" or call is _ONE_A_FUNCTION.get(call.covers)
]
"""Calls to try as the first of a process, which loads backends and fills tables: every way through
the objective, each function, and a metric of each kind of state. What is done once does not depend
on which loss or metric it is done for."""
