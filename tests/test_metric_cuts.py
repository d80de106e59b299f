"""How the data is cut never matters: a hundred ways to cut and merge, for every metric."""

import functools

import jax
import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask.conformance.cases import MetricCase, QueryCase, all_cases
from agnostic_mask.conformance.cases._part import Part

from .arrays import host, make

WAYS, PARTS, ROWS, STEPS = 100, 6, 20, 3
CASES = {case.name: case for case in all_cases() if isinstance(case, MetricCase | QueryCase)}
# One of each variant, by the kind of data that it is for.
KINDS = list(dict.fromkeys(case.data for case in CASES.values()))
FAR = 1e4


def metrics_for(kind):
    return {name: case.metric for name, case in CASES.items() if case.data == kind}


def data_of(kind):
    """Arrays of a kind, in float32, with weights of one sign and a mask."""
    case = next(case for case in CASES.values() if case.data == kind)
    rng = np.random.default_rng(7)
    inputs = case.inputs(rng, (PARTS * ROWS, STEPS))
    if kind.startswith("far"):
        inputs = {n: x + FAR if n in ("x", "y_true", "y_pred") else x for n, x in inputs.items()}
    inputs["mask"] = rng.random((PARTS * ROWS, STEPS)) < 0.7
    inputs["weights"] = rng.uniform(0.5, 2.0, PARTS * ROWS)
    inputs["weights"][5] = 0.0
    excluded = ~inputs["mask"]
    for name in ("x", "y_pred"):
        if name in inputs and inputs[name].dtype.kind == "f":
            inputs[name][excluded] = np.nan
    return {n: x.astype(np.float32) if x.dtype.kind == "f" else x for n, x in inputs.items()}


class Verbs:
    """Of all metrics of a kind: of several arrays a set, of one array each by itself."""

    def __init__(self, kind, backend):
        self.metrics = metrics_for(kind)
        names = ("x",) if kind.endswith("values") else ("y_true", "y_pred")
        if names == ("x",):
            self.each = dict(self.metrics)
        else:
            parts = {n: m for n, m in self.metrics.items() if isinstance(m, Part)}
            rest = {n: m for n, m in self.metrics.items() if n not in parts}
            self.each = {**parts, **({"all": am.metrics.MetricSet(rest)} if rest else {})}
        compiled = jax.jit if backend == "jax" else lambda fn: fn
        # In one trace, for JAX would compile each operation by itself.
        self.update = compiled(functools.partial(self._update, names))
        self.merge = compiled(self._merge)
        self.compute = compiled(self._compute)

    def _update(self, names, batch):
        arrays = [batch[n] for n in names]
        covers = batch["weights"], batch["mask"]
        return {
            name: verbs.update(verbs.zero(like=arrays[-1]), *arrays, *covers)
            for name, verbs in self.each.items()
        }

    def _merge(self, left, right):
        return {name: verbs.merge(left[name], right[name]) for name, verbs in self.each.items()}

    def _compute(self, states):
        found = {name: verbs.compute(states[name]) for name, verbs in self.each.items()}
        together = found.pop("all", {})
        return {**found, **together}


def merged(rng, verbs, states):
    """States merged along a random tree."""
    states = list(states)
    while len(states) > 1:
        i = int(rng.integers(0, len(states) - 1))
        states[i : i + 2] = [verbs.merge(states[i], states[i + 1])]
    return states[0]


def through_vectors(rng, states):
    """States packed, gathered in another order, and unpacked."""
    packed = [{n: am.states.pack(s) for n, s in state.items()} for state in states]
    like = states[0]
    order = rng.permutation(len(packed))
    return [{n: am.states.unpack(packed[i][n], like=like[n]) for n in like} for i in order]


def ways(backend, kind):
    """Results of the whole, and of each way to cut it."""
    data = {name: make(backend, x) for name, x in data_of(kind).items()}
    verbs, rng = Verbs(kind, backend), np.random.default_rng(1)
    whole = {n: host(x) for n, x in verbs.compute(verbs.update(data)).items()}
    master = data_of(kind)
    found = []
    for way in range(WAYS):
        rows = rng.permutation(PARTS * ROWS).reshape(PARTS, ROWS)
        states = [
            verbs.update({n: make(backend, x[part]) for n, x in master.items()}) for part in rows
        ]
        if way % 4 == 0:
            states = through_vectors(rng, states)
        values = verbs.compute(merged(rng, verbs, states))
        found.append({n: host(x) for n, x in values.items()})
    return whole, found


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_has_one_float32_result_however_the_data_is_cut(backend, kind):
    whole, found = ways(backend, kind)
    assert len(found) == WAYS
    for name, expected in whole.items():
        values = np.stack([values[name] for values in found])
        assert np.isfinite(expected).all(), f"{name} shows nothing: {expected}"
        if CASES[name].four_operations:
            assert (values == expected).all(), f"{name}: {np.unique(values)} is not {expected}"
        else:  # the frameworks' own logarithms may move by an ulp with position
            np.testing.assert_allclose(values, np.broadcast_to(expected, values.shape), rtol=3e-7)


def test_sums_of_squares_in_float32_would_not_pass():
    y_true, y_pred = (data_of("far")[n] for n in ("y_true", "y_pred"))
    mask = data_of("far")["mask"]
    t, p = y_true[mask], y_pred[mask]
    naive = 1 - ((t - p) ** 2).sum() / ((t**2).sum() - t.sum() ** 2 / len(t))
    ours = am.metrics.R2Score()(y_true, y_pred, mask=mask)
    exact = 1 - ((t - p).astype(float) ** 2).sum() / (t.astype(float).var() * len(t))
    assert abs(ours - exact) < 1e-6
    assert abs(naive - exact) > 1e-3
