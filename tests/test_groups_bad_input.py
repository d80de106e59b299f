"""Labels and numbers of groups that a reduction refuses, and says why."""

import numpy as np
import pytest
import torch

import agnostic_mask as am


def counts_of(x, **named):
    return am.histogram(x, bins=(-10.0, -3.0, 0.0, 12.5), **named)[0]


X, BY = np.asarray([1.0, 2.0]), np.asarray([0, 1])


@pytest.mark.parametrize("fn", [am.sum, am.argmax, am.cov, counts_of, am.median])
@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ({"by": BY}, ValueError, r"num_groups is None, and by is given.*max\(by\) \+ 1"),
        ({"num_groups": 2}, ValueError, "by is None; expected the label of the group"),
        ({"by": BY, "num_groups": 0}, ValueError, "num_groups is 0; expected an integer of at"),
        ({"by": BY, "num_groups": 2.5}, ValueError, "num_groups is 2.5"),
        ({"by": X, "num_groups": 2}, am.UnsupportedArrayError, "by has dtype float64"),
        ({"by": BY > 0, "num_groups": 2}, am.UnsupportedArrayError, "by has dtype bool"),
        ({"by": [0, 1], "num_groups": 2}, am.UnsupportedArrayError, "by is a builtins.list"),
        (
            {"by": np.zeros(3, int), "num_groups": 2},
            am.ShapeMismatchError,
            r"by has shape \(3,\) and x shape \(2,\)",
        ),
        (
            {"by": np.zeros((2, 1), int), "num_groups": 2},
            am.ShapeMismatchError,
            r"by has shape \(2, 1\)",
        ),
        (
            {"by": torch.asarray(BY), "num_groups": 2},
            am.MixedFrameworksError,
            "by is a torch array and x a numpy array",
        ),
    ],
)
def test_bad_groups_are_named(fn, named, error, message):
    with pytest.raises(error, match=message):
        fn(X, **named)


def test_a_label_for_each_variable_is_refused_where_observations_are_grouped():
    with pytest.raises(am.ShapeMismatchError, match=r"by has shape .* holds variables"):
        am.cov(np.ones((3, 2)), by=np.zeros((3, 2), int), num_groups=2)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "cumulative_sum"])
def test_what_keeps_the_shape_takes_no_groups(name):
    with pytest.raises(TypeError, match="by"):
        getattr(am, name)(X, by=BY, num_groups=2)
    assert f"`{name}`" in am.sum.__doc__
