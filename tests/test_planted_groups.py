"""Faults in groups, each caught by the law that it breaks."""

import pytest

from agnostic_mask import _labels, _totals
from agnostic_mask._reductions import _order

from .test_planted import CASES, failures

VAR = "var mask=BT weights=B:real by=BT"


def clipped(d, by, n, shape):
    """A label out of range lands in the nearest group."""
    return d.xp.astype(d.xp.clip(by, 0, n - 1), _labels.index_dtype(d))


def of_the_first(self, x):
    """The first group's total for the elements of all groups."""
    return x[:1, ...] if self.lead else x


def one_too_far(self, x, of_each=_totals.Totals.of_each):
    """Another group's total."""
    return of_each(self, self.d.xp.roll(x, 1, axis=0) if self.lead else x)


def of_all(self, inclusion, included=_totals.Totals.included):
    """The elements of all groups for each."""
    found = included(self, inclusion)
    return self.d.xp.zeros_like(found) + self.d.xp.sum(found) if self.lead else found


def of_none(self, include):
    """An element of no group is not noticed."""
    return self.d.xp.zeros((1,) * len(self.shape), dtype=self.d.xp.int64)


def from_the_first(self, x, of_each=_order._OfGroups._of_each):
    """Weights of the groups before are not taken away."""
    return of_each(self, x[..., :1] + self.xp.zeros_like(x))


PLANTED = {
    "a label out of range in a neighbour": (
        _totals,
        "_label",
        clipped,
        "count mask=BT weights=B:real by=BT stray",
        "numpy",
    ),
    "a label out of range in a neighbour of a mean": (
        _totals,
        "_label",
        clipped,
        "metrics.MeanSquaredError mask=BT weights=B:real by=BT stray",
        "torch",
    ),
    "a label out of range that is not noticed": (
        _totals.Totals,
        "outside",
        of_none,
        "max mask=BT weights=B:real by=BT stray",
        "numpy",
    ),
    "one group's centre for all": (_totals.Totals, "of_each", of_the_first, VAR, "numpy"),
    "another group's centre": (_totals.Totals, "of_each", one_too_far, VAR, "torch"),
    "elements of all groups counted": (
        _totals.Totals,
        "included",
        of_all,
        "count mask=BT weights=B:real by=B1",
        "numpy",
    ),
    "weights of another group": (
        _order._OfGroups,
        "_of_each",
        from_the_first,
        "quantile q=(0.0, 0.3, 0.9) mask=BT weights=B:integer by=BT",
        "numpy",
    ),
}


def named(name):
    """The case of this name, in which no options leave two spaces."""
    return next(n for n in CASES if n.replace("  ", " ") == name)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught_by_the_oracle(monkeypatch, fault):
    owner, name, faulty, case, backend = PLANTED[fault]
    assert failures("matches_oracle", named(case), backend) == []
    monkeypatch.setattr(owner, name, faulty)
    caught = failures("matches_oracle", named(case), backend)
    assert caught, f"{fault} passes"
    assert all(row.reason for row in caught)
