"""Laws about values: right, and the same however the data is cut, repeated or scaled."""

import functools
import itertools

import numpy as np

import agnostic_mask as am

from .._environments import Environment
from ..cases import Case, Host, MakerCase, ObjectiveCase, ReductionCase, spread
from ..oracle import Reference
from ._law import Run, ViolationError, law, within


@law("oracle")
def agrees_with_oracle(run: Run) -> float:
    """The result is within its bound of the value in higher precision."""
    _, arrays, exact = run.inputs()
    return within(run.call(arrays), run.reference(exact), "the result")


@law("degenerate")
def holds_for_0d_and_empty(run: Run) -> float:
    """A single element without axes, and no element at all, have the documented values."""
    worst = 0.0
    for shape in ((), (0, 3)):
        arrays = run.arrays(run.case.inputs(run.rng(), shape))
        reference = run.reference(run.exact(arrays))
        worst = max(worst, within(run.call(arrays), reference, f"for shape {shape} the result"))
    return worst


def _flat(case: Case, exact: Host, repeats: np.ndarray) -> Host:
    """Inputs as one axis of elements, each as often as `repeats` says, uncovered."""
    shape = repeats.shape
    flat: Host = {}
    for name in ("y_true", "y_pred", "x"):
        if name not in exact:
            continue
        x = exact[name]
        if isinstance(case, ObjectiveCase) and x.ndim > len(shape):
            axis = case.class_axis(len(shape))
            assert axis is not None
            x = np.moveaxis(x, axis, -1)
        flat[name] = np.repeat(x.reshape(-1, *x.shape[len(shape) :]), repeats.reshape(-1), axis=0)
    return flat


def _call_flat(run: Run, flat: Host) -> np.ndarray:
    case = run.case
    if isinstance(case, ObjectiveCase):
        options = {**case.options, **({"axis": -1} if "axis" in case.options else {})}
        fn = functools.partial(getattr(am.losses, case.loss), **options)
        objective = am.weighted_masked_objective(fn, reduction=case.objective.reduction)
        return run.env.host(objective(**run.arrays(flat)))
    return run.call(run.arrays(flat))


def _same_as_whole(run: Run, flat: Host, exact: Host, what: str) -> float:
    """The value of other elements is within bound of the value that these should give too."""
    return within(_call_flat(run, flat), run.reference(exact), what)


def _spread_weights(case: ObjectiveCase | ReductionCase, exact: Host) -> np.ndarray:
    return spread(exact["weights"], case.unmasked(exact).shape)


def _covers_something(case: Case, env: Environment, dtype: str) -> str | None:
    if isinstance(case, ObjectiveCase | ReductionCase) and (case.mask or case.weights):
        return None
    return "the case excludes nothing"


@law("removal", _covers_something)
def exclusion_is_removal(run: Run) -> float:
    """Leaving excluded elements out gives the same value."""
    case = run.case
    assert isinstance(case, ObjectiveCase | ReductionCase)
    _, _, exact = run.inputs()
    keep = case.included(exact)
    flat = _flat(case, exact, keep.astype(int))
    if "weights" in exact:
        flat["weights"] = _spread_weights(case, exact)[keep]
    return _same_as_whole(run, flat, exact, "without the excluded elements the result")


@law("repetition")
def weight_is_repetition(run: Run) -> float:
    """An integer weight of k gives what k equal elements give."""
    case = run.case
    assert isinstance(case, ObjectiveCase | ReductionCase)
    _, _, exact = run.inputs()
    repeats = case.unmasked(exact) * _spread_weights(case, exact)
    flat = _flat(case, exact, repeats)
    return _same_as_whole(run, flat, exact, "with elements repeated the result")


@law("scale")
def scale_of_weights_does_not_matter(run: Run) -> float:
    """Means do not change when all weights are multiplied by a number above 0."""
    master, _, exact = run.inputs()
    worst = 0.0
    for factor in (2.0**-20, 3.0, 1000.0):
        arrays = run.arrays({**master, "weights": master["weights"] * factor})
        # The product itself is rounded: its reference is that of the weights as they became.
        reference = run.reference(run.exact(arrays))
        share = within(run.call(arrays), reference, f"with weights times {factor} the result")
        if factor == 2.0**-20 and run.dtype in ("float32", "float64"):
            share = within(run.call(arrays), run.reference(exact), "with weights times 2**-20 it")
        worst = max(worst, share)
    return worst


_IEEE_LOSSES = ("squared_error", "absolute_error", "huber")
"""Losses of the four operations alone, whose scores cannot depend on position."""


@law("cuts")
def cut_and_order_do_not_matter(run: Run) -> float | None:
    """Parts cut along any axis, re-padded and merged in any order, give the whole's value."""
    if isinstance(run.case, ObjectiveCase):
        return _cut_objective(run, run.case)
    if isinstance(run.case, MakerCase):
        raise ViolationError("a case without parts was cut")
    return _permute(run)


def _permute(run: Run) -> float:
    master, _, exact = run.inputs()
    worst = 0.0
    for _ in range(3):
        order = run.rng().permutation(master["x"].shape[0])
        moved = {n: x[order] if x.shape[0] == order.size else x for n, x in master.items()}
        share = within(run.call(run.arrays(moved)), run.reference(exact), "in another order it")
        worst = max(worst, share)
    return worst


def _parts(case: ObjectiveCase, exact: Host, rng: np.random.Generator) -> list[Host]:
    """Cut the data of a case into blocks along its batch and time axes, in random order."""
    b, t = case.scores_shape(exact)
    # One place to cut, which leaves a part of one step: frameworks that compile for each
    # shape would spend their time on others.
    rows, steps = (0, 1, b), (0, 1, t)
    axis = case.class_axis(2)
    parts = []
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(steps):
            block = (slice(top, bottom), slice(left, right))
            part = {}
            for name, x in exact.items():
                cut = list(block[: x.ndim])
                if x.ndim == 3:
                    assert axis is not None
                    cut.insert(axis, slice(None))
                else:
                    cut = [c if n > 1 else slice(None) for c, n in zip(cut, x.shape, strict=True)]
                part[name] = x[tuple(cut)]
            parts.append(part)
    return [parts[i] for i in rng.permutation(len(parts))]


def _cut_objective(run: Run, case: ObjectiveCase) -> float | None:
    master, arrays, exact = run.inputs()
    whole = run.call(arrays)
    objective, rng = case.objective, run.rng()
    reference = run.reference(exact)
    worst = 0.0
    for _ in range(3):
        states = [
            objective.update(objective.zero(like=a["y_pred"]), **a)
            for a in map(run.arrays, _parts(case, master, rng))
        ]
        while len(states) > 1:
            i = int(rng.integers(0, len(states) - 1))
            states[i : i + 2] = [objective.merge(states[i], states[i + 1])]
        merged = run.env.host(objective.compute(states[0]))
        worst = max(worst, within(merged, reference, "merged from parts the result"))
        ieee = case.loss in _IEEE_LOSSES and run.dtype != "float64"
        if ieee and run.env.accumulator() == "float64" and merged.tobytes() != whole.tobytes():
            raise ViolationError(f"merged from parts the result is {merged!r}; expected {whole!r}")
    return worst


def agreement(first: np.ndarray, second: np.ndarray, reference: Reference) -> float:
    """Share of both bounds together that the distance of two environments' results fills."""
    both = Reference(np.asarray(first, dtype=float), 2 * np.asarray(reference.bound, dtype=float))
    return both.share(second)
