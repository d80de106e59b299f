import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask import _cover, _metric, _scoring, _staged, _statistic, _tally
from agnostic_mask._replay import Replays
from agnostic_mask.conformance._environments import environments
from agnostic_mask.conformance._row import FAILED
from agnostic_mask.conformance._run import run
from agnostic_mask.conformance.cases import all_cases
from agnostic_mask.conformance.laws import LAWS
from agnostic_mask.losses import _operands, _regression
from agnostic_mask.metrics import _cells, _confusion, _exact_curves, _moments, _query_measures

from .test_metrics_counts import (
    test_counts_are_exact_past_2_to_the_31_and_float32_past_2_to_the_24 as check_counts,
)

CASES = {case.name: case for case in all_cases()}
MEAN = "squared_error mean mask=BT weights=BT:real"
LOGS = "binary_crossentropy sum mask=BT weights=B:real"


def failures(law, case, backend):
    """Rows in which a law fails for a case, on a backend and all its devices and float types."""
    chosen = [x for x in LAWS if x.name == law]
    assert chosen, f"no law is called {law}"
    with pytest.MonkeyPatch.context() as patch:
        # What was recorded before a fault was planted would not show it.
        patch.setattr(Replays, "call", ordinary)
        outcomes = list(run(environments([backend]), cases=[CASES[case]], laws=chosen))
    return [outcome.row for outcome in outcomes if outcome.row.outcome == FAILED]


def ordinary(self, what, arrays, fn, *, long=False):
    return fn(arrays)


def multiply(d, include, x):
    return x if include is None else x * d.xp.astype(include, x.dtype)


def right_aligned(xp, x, rank, *, skip=None):
    return xp.reshape(x, (1,) * (rank - len(x.shape)) + tuple(x.shape))


def mean_of_means(left, right):
    if left.included == 0:
        return right
    half = (left.total / left.weight + right.total / right.weight) / 2
    weight = half / half
    return _tally.Tally(left.made_for, left.dtype, "mean", half, left.included, weight=weight)


def float32(xp, device, backend):
    return xp.float32


def output_only(known, include, x, value):
    return x


def unguarded(known, include, y_true, y_pred):
    return [y_true, y_pred]


def factor_as_it_is(inclusion, d, i, axes):
    return d.xp.astype(inclusion.factors[i], d.xp.float64)


def in_place(d, include, x):
    if include is not None:
        x[np.broadcast_to(~include, x.shape)] = 0
    return x


def elsewhere(metric, state, compute=_metric.Metric._computed):
    import array_api_strict

    return compute(metric, state).to_device(array_api_strict.Device("device2"))


def transposed(counts, xp, table=_confusion.ConfusionCounts.table):
    return xp.matrix_transpose(table(counts, xp))


def not_moved(xp, side, centre):
    return side.first, side.second


def about_zero(totals, x, joint, mass):
    return totals.d.xp.zeros_like(mass)


def all_counted(totals, shape, cell, valid, covers, in_cells=_confusion.in_cells):
    return in_cells(totals, shape, cell, valid, covers._replace(mask=None))


def all_ranked(self, d, include, y_pred, ranked=_query_measures._Ranking.__init__):
    ranked(self, d, include | ~include, y_pred)


def by_position(self, values, factors):
    return self.xp.sum(values * factors, axis=-1)


def wrong_sign(y_true, y_pred, paired=_operands.paired):
    d, y_true, y_pred = paired(y_true, y_pred)
    return d, y_pred, y_true


def lost_weight(left, right, merge=_tally.merge):
    merged = merge(left, right)
    return merged if left.included == 0 else _statistic.with_arrays(merged, {"weight": left.weight})


def lost_cross_term(xp, side, centre):
    e = side.centre - centre
    return side.first + side.weight * e, side.second


def half_on_one_side(runs):
    upto = runs._sums(runs.positive)
    return runs._mean(_staged.ratio(runs.d.xp, upto, upto[-1]), runs.negative)


PLANTED = {
    "a wrong sign in a loss": (
        _regression,
        "paired",
        wrong_sign,
        "matches_oracle",
        "pinball mean",
        "jax",
    ),
    "a lost merge term": (
        _tally,
        "merge",
        lost_weight,
        "cut_invariant",
        "metrics.MeanSquaredError",
        "torch",
    ),
    "a moment without its mean shift": (
        _moments,
        "_moved",
        lost_cross_term,
        "cut_invariant",
        "metrics.PearsonCorrelation",
        "numpy",
    ),
    "a count in float32": (_staged, "wide_integer", float32, "dtype_kept", "count", "numpy"),
    "exclusion by multiplication": (
        _staged,
        "zeroed",
        multiply,
        "excluded_is_absent",
        MEAN,
        "numpy",
    ),
    "right-aligned weights": (_cover, "expand", right_aligned, "matches_oracle", LOGS, "torch"),
    "a mean of batch means": (_tally, "merge", mean_of_means, "cut_invariant", MEAN, "numpy"),
    "a float32 accumulator": (_staged, "wide_float", float32, "matches_oracle", MEAN, "torch"),
    "output-only selection": (_scoring, "_substitute", output_only, "gradient", LOGS, "torch"),
    "derivatives that are not stopped": (
        _scoring,
        "_guarded",
        unguarded,
        "gradient",
        LOGS,
        "jax",
    ),
    "a NaN weight let through": (
        _staged.Inclusion,
        "present",
        factor_as_it_is,
        "excluded_is_absent",
        MEAN,
        "torch",
    ),
    "an input written to": (
        _staged,
        "zeroed",
        in_place,
        "inputs_untouched",
        "mean axis=0",
        "numpy",
    ),
    "precision and recall swapped": (
        _confusion.ConfusionCounts,
        "table",
        transposed,
        "matches_oracle",
        "metrics.Precision macro",
        "numpy",
    ),
    "excluded elements counted": (
        _confusion,
        "in_cells",
        all_counted,
        "excluded_is_absent",
        "metrics.Precision macro",
        "torch",
    ),
    "moments merged as they are": (
        _moments,
        "_moved",
        not_moved,
        "cut_invariant",
        "metrics.R2Score",
        "jax",
    ),
    "moments about zero": (
        _moments,
        "mean_by_mass",
        about_zero,
        "matches_oracle",
        "metrics.Variance",
        "numpy",
    ),
    "ties counted half on one side only": (
        _exact_curves._Runs,
        "share_of_pairs",
        half_on_one_side,
        "matches_oracle",
        "metrics.roc_auc",
        "numpy",
    ),
    "excluded candidates that take a rank": (
        _query_measures._Ranking,
        "__init__",
        all_ranked,
        "exclusion_is_removal",
        "metrics.NDCG",
        "torch",
    ),
    "ties broken by position": (
        _query_measures._Ranking,
        "mean_over_ties",
        by_position,
        "matches_oracle",
        "metrics.PrecisionAtK",
        "numpy",
    ),
    "a result elsewhere": (
        _metric.Metric,
        "_computed",
        elsewhere,
        "stays_home",
        MEAN,
        "array_api_strict",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught_by_its_law(monkeypatch, fault):
    module, name, faulty, law, case, backend = PLANTED[fault]
    if case not in CASES:  # the beginning of its name
        case = next(n for n in CASES if n.replace("  ", " ").startswith(f"{case} mask"))
    assert failures(law, case, backend) == []
    monkeypatch.setattr(module, name, faulty)
    caught = failures(law, case, backend)
    assert caught, f"{fault} passes the law {law!r}"
    assert all(row.law == law and row.reason for row in caught)
    # A fault that does not fit its place any more would raise, and show nothing.
    assert not any("TypeError" in row.reason for row in caught), caught[0].reason


def test_confusions_counted_in_float32_are_caught_past_2_to_the_24(monkeypatch):
    check_counts("numpy")
    monkeypatch.setattr(_cells, "wide_integer", float32)
    with pytest.raises(AssertionError):
        check_counts("numpy")


def test_every_law_is_tried_on_every_case_or_says_why_not():
    envs = [e for e in environments(["numpy"]) if e.label == "numpy"]
    for outcome in run(envs, cases=[CASES[MEAN]], laws=LAWS):
        assert outcome.row.outcome == "passed" or outcome.row.reason


def test_every_public_function_has_a_case_or_a_reason():
    from agnostic_mask.conformance._coverage import uncovered
    from agnostic_mask.conformance.cases import NOT_NUMERIC

    class Row:
        def __init__(self, covers):
            self.covers = covers

    rows = [Row(case.covers) for case in CASES.values()]
    assert uncovered(rows) == []
    assert uncovered([row for row in rows if row.covers != "logsumexp"]) == ["logsumexp"]
    assert set(NOT_NUMERIC) <= {*am.__all__, *am.metrics.__all__}
