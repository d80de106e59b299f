"""Laws about values: right, and the same however the data is cut, repeated or scaled."""

import itertools

import numpy as np

from .._environments import Environment
from ..cases import Case, CoveredCase, Host, PartsCase, spread
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


def _same_as_whole(run: Run, flat: Host, exact: Host, what: str) -> float:
    """The value of other elements is within bound of the value that these should give too."""
    assert isinstance(run.case, CoveredCase)
    result = run.env.host(run.case.call_flat(run.arrays(flat)))
    return within(result, run.reference(exact), what)


def _spread_weights(case: CoveredCase, exact: Host) -> np.ndarray:
    return spread(exact["weights"], case.unmasked(exact).shape)


def _covers_something(case: Case, env: Environment, dtype: str) -> str | None:
    if isinstance(case, CoveredCase) and (case.mask or case.weights):
        return None
    return "the case excludes nothing"


@law("removal", _covers_something)
def exclusion_is_removal(run: Run) -> float:
    """Leaving excluded elements out gives the same value."""
    case = run.case
    assert isinstance(case, CoveredCase)
    _, _, exact = run.inputs()
    keep = case.included(exact)
    flat = case.flat(exact, keep.astype(int))
    if "weights" in exact:
        flat["weights"] = case.flat_weights(exact, keep)
    return _same_as_whole(run, flat, exact, "without the excluded elements the result")


@law("repetition")
def weight_is_repetition(run: Run) -> float:
    """An integer weight of k gives what k equal elements give."""
    case = run.case
    assert isinstance(case, CoveredCase)
    _, _, exact = run.inputs()
    repeats = case.unmasked(exact) * _spread_weights(case, exact)
    flat = case.flat(exact, repeats)
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


@law("cuts")
def cut_and_order_do_not_matter(run: Run) -> float | None:
    """Parts cut along any axis, re-padded and merged in any order, give the whole's value."""
    if isinstance(run.case, PartsCase):
        return _cut_parts(run, run.case)
    if not isinstance(run.case, CoveredCase):
        raise ViolationError("a case without parts was cut")
    return _permute(run, run.case)


def _permute(run: Run, case: CoveredCase) -> float:
    master, _, exact = run.inputs()
    worst = 0.0
    for _ in range(3):
        order = run.rng().permutation(case.shape(exact)[0])
        moved = {n: x[order] if x.shape[0] == order.size else x for n, x in master.items()}
        share = within(run.call(run.arrays(moved)), run.reference(exact), "in another order it")
        worst = max(worst, share)
    return worst


def _parts(case: PartsCase, exact: Host, rng: np.random.Generator, *, alike: bool) -> list[Host]:
    """Cut the data of a case into blocks along its batch and time axes, in random order.

    One place to cut leaves parts of one row and of one step; parts `alike` are steps.
    """
    b, t = case.shape(exact)
    rows, steps = ((0, b), range(t + 1)) if alike else ((0, 1, b), (0, 1, t))
    axis = case.class_axis(2)
    parts = []
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(steps):
            block = (slice(top, bottom), slice(left, right))
            part = {}
            for name, x in exact.items():
                cut = list(block[: x.ndim])
                if x.ndim > 2:
                    assert axis is not None
                    cut[axis:axis] = [slice(None)] * (x.ndim - 2)
                else:
                    cut = [c if n > 1 else slice(None) for c, n in zip(cut, x.shape, strict=True)]
                part[name] = x[tuple(cut)]
            parts.append(part)
    return [parts[i] for i in rng.permutation(len(parts))]


def _cut_parts(run: Run, case: PartsCase) -> float | None:
    master, arrays, exact = run.inputs()
    whole = run.call(arrays)
    verbs, rng = case.verbs(), run.rng()
    reference = run.reference(exact)
    worst = 0.0
    for _ in range(3):
        states = [
            verbs.update(verbs.zero(like=a.get("y_pred", a.get("x"))), **a)
            for a in map(run.arrays, _parts(case, master, rng, alike=run.env.compiles_shapes))
        ]
        while len(states) > 1:
            i = int(rng.integers(0, len(states) - 1))
            states[i : i + 2] = [verbs.merge(states[i], states[i + 1])]
        merged = run.env.host(verbs.compute(states[0]))
        worst = max(worst, within(merged, reference, "merged from parts the result"))
        same = case.four_operations and run.dtype != "float64"
        if same and run.env.accumulator() == "float64" and merged.tobytes() != whole.tobytes():
            raise ViolationError(f"merged from parts the result is {merged!r}; expected {whole!r}")
    return worst


def agreement(first: np.ndarray, second: np.ndarray, *references: Reference) -> float:
    """Share of both bounds together that the distance of two environments' results fills."""
    bounds = sum(np.asarray(reference.bound, dtype=float) for reference in references)
    return Reference(np.asarray(first, dtype=float), bounds).share(second)
