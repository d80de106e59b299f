"""Laws about values: right, and the same however the data is cut, repeated or scaled."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .._case import Call, Case, CoveredCase, Host, PartsCase
from .._environments import Environment
from .._reference import Reference
from ._law import law, within
from ._one_run import Run, ViolationError, same_shape


@law
def matches_oracle(run: Run) -> float:
    """The result is within its bound of the value in higher precision."""
    first = run.first()
    return within(first.host(), run.reference(first.exact), "the result")


@law
def holds_for_degenerate(run: Run) -> float:
    """The smallest inputs, a single row and none, have the right values too."""
    worst = 0.0
    for what, smallest in run.case.degenerate(run.inputs()[0], run.rng()):
        arrays = run.arrays(smallest)
        result = run.call(arrays, what)
        worst = max(worst, within(result, run.reference(run.exact(arrays)), what))
    return worst


def _same_as_whole(
    run: Run, whole_inputs: Host, change: Callable[[Host], tuple[Host, Call]], what: str
) -> float:
    """The value of changed inputs is within bound of the value that these should give too."""
    assert isinstance(run.case, CoveredCase)
    arrays = run.arrays(whole_inputs)
    exact = run.exact(arrays)
    other, call = change(exact)
    result = run.on_host(run.as_one(call, list(other)), run.arrays(other), what)
    whole = run.expected(exact, arrays)
    rows = run.case.shape(other)[:1]
    if result.shape[:1] == rows != run.case.shape(exact)[:1] == np.shape(whole.value)[:1]:
        raise ViolationError(f"{what} has {rows[0]} rows: {PLACES}")
    return within(result, whole, what)


PLACES = "it has a place for each row, and the law is for results that have none; leave it out"


def _covers_something(case: Case, env: Environment, dtype: str) -> str | None:
    if isinstance(case, CoveredCase) and (case.mask or case.weights):
        return None
    return "the case excludes nothing"


@law(objection=_covers_something)
def exclusion_is_removal(run: Run) -> float:
    """Leaving excluded elements out gives the same value."""
    case = run.case
    assert isinstance(case, CoveredCase)
    master = run.inputs()[0]
    what = "with excluded elements added or left out the result"
    share = _same_as_whole(run, master, case.without_excluded, what)
    full = case.all_included(master)
    if full is None:
        return share
    what = "of inputs of which all is included, with excluded elements added, the result"
    share = max(share, _same_as_whole(run, full, case.without_excluded, what))
    return max(share, _with_excluded_steps(run, full))


def _with_excluded_steps(run: Run, full: Host) -> float:
    """As above, of a function that takes longer rows, and has no place for each step."""
    assert isinstance(run.case, CoveredCase)
    arrays = run.arrays(full)
    longer = run.case.with_excluded_steps(run.exact(arrays))
    if longer is None:
        return 0.0
    whole = run.expected(run.exact(arrays), arrays)
    try:
        result = run.call(run.arrays(longer))
    except Exception as error:
        run.notes.append(f"not with more steps, of which the function raises {error!r}")
        return 0.0
    if result.shape != np.shape(whole.value):
        return 0.0
    return within(result, whole, "of rows that are all included, with excluded steps, the result")


@law
def weight_is_repetition(run: Run) -> float:
    """An integer weight of k gives what k equal elements give."""
    case = run.case
    assert isinstance(case, CoveredCase)
    what = "with elements repeated the result"
    return _same_as_whole(run, run.inputs()[0], case.repeated, what)


@law
def scale_invariant(run: Run) -> float:
    """Means do not change when all weights are multiplied by a number above 0."""
    master, whole, exact = run.inputs()
    worst = 0.0
    for name, factor in FACTORS.items():
        if run.dtype == "float16" and factor != 3.0:
            continue  # it has neither weights so small nor sums so large
        arrays = run.arrays({**master, "weights": master["weights"] * factor})
        if run.case.by_itself or factor < 1:
            reference = run.expected(exact, whole)
        else:
            # The product itself is rounded: its reference is that of the weights as they became.
            reference = run.reference(run.exact(arrays))
        worst = max(worst, within(run.call(arrays), reference, f"with weights times {name} it"))
    return worst


FACTORS = {"2**-20": 2.0**-20, "3": 3.0, "1000": 1000.0}


def _not_in_parts(case: Case, env: Environment, dtype: str) -> str | None:
    if isinstance(case, PartsCase):
        return "parts are merged in any order, which says more"
    return None


@law(objection=_not_in_parts)
def order_invariant(run: Run) -> float:
    """The order of elements along the first axis does not matter."""
    case = run.case
    assert isinstance(case, CoveredCase)
    master, arrays, exact = run.inputs()
    rng, worst = run.rng(), 0.0
    expected = run.expected(exact, arrays)
    for _ in range(3):
        order = rng.permutation(case.shape(exact)[0] if case.shape(exact) else 0)
        moved = {n: x[order] if x.shape[:1] == order.shape else x for n, x in master.items()}
        what = "in another order the result"
        result = run.call(run.arrays(moved), what)
        if expected.share(result) > 1 and _moves(result, expected, order):
            raise ViolationError(f"{what} has its rows in that order too: {PLACES}")
        worst = max(worst, within(result, expected, what))
    return worst


def _moves(result: np.ndarray, expected: Reference, order: np.ndarray) -> bool:
    """Whether the rows of a result are those that are expected, in another order."""
    value = np.asarray(expected.value)
    if value.shape[:1] != order.shape:
        return False
    bound = np.broadcast_to(np.asarray(expected.bound), value.shape)
    return Reference(value[order], bound[order]).share(result) <= 1


def _in_parts(case: Case, env: Environment, dtype: str) -> str | None:
    return None if isinstance(case, PartsCase) else "there are no states of parts to merge"


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


@law(objection=_in_parts)
def cut_invariant(run: Run) -> float:
    """Parts cut along any axis, re-padded and merged in any order, give the whole's value."""
    case = run.case
    assert isinstance(case, PartsCase)
    master, first = run.inputs()[0], run.first()
    whole = first.host()
    verbs, rng = case.verbs(), run.rng()
    reference = run.reference(first.exact)
    worst = 0.0
    for _ in range(1 if run.env.makes_graphs else 3):  # whose tasks take long to compute
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


@law
def backends_agree(run: Run) -> float:
    """Results of two environments are no further apart than both bounds together."""
    mine, bound = _seen(run)
    worst = 0.0
    if not run.others:
        run.notes.append("the first environment: the others are compared with it")
    compared = not run.others
    for env in run.others:
        if env.label == run.env.label or run.dtype not in env.dtypes():
            continue
        try:
            theirs, other = _seen(replace(run, env=env))
        except Exception:  # which that environment's own rows report
            continue
        compared = True
        both = Reference(theirs, bound + other)
        worst = max(worst, within(mine, both, f"beside that of {env.label} the result"))
    if not compared:
        run.notes.append("no environment before this one has a result to compare with")
    return worst


def _seen(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Result of a run and its bound, computed once."""
    key = ("seen", run.case.name, run.env.label, run.dtype)
    if key not in run.references:
        with run.env.scope(run.dtype):
            first = run.first()
            reference = run.reference(first.exact)
            found = same_shape(first.host(), reference, f"on {run.env.label} the result")
        run.references[key] = first.host(), found.bound
    seen: tuple[np.ndarray, np.ndarray] = run.references[key]
    return seen
