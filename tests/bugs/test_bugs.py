"""Each bug, the law that finds it, and the same function without the bug."""

import math

import library
import numpy as np

from agnostic_mask import conformance as c

# wrong_axis: matches_oracle
# host_round_trip: nothing_hidden
# right_alignment: covers_leading_axes
# float32_accumulation: accumulates_wide
# input_mutation: inputs_untouched
# output_only_masking: gradient
# data_dependent_branch: compiles
# dtype_promoted: dtype_kept
# device_dropped: needs_no_values
# order_dependence: order_invariant


def both(name, **declared):
    """Tests of a function with a bug, and of its mended twin."""
    for each in (name, f"{name}_mended"):
        globals()[f"test_{each}"] = c.case(getattr(library, each), **declared).as_test()


def log_shares(scores):
    return np.stack([row - np.log(np.sum(np.exp(row))) for row in scores])


both("wrong_axis", scores=c.floats((6, 4), -3, 3), oracle=log_shares)
both(
    "host_round_trip",
    a=c.floats((5, 3)),
    b=c.floats((4, 3)),
    oracle=lambda a, b: np.asarray([[math.fsum(x * y) for y in b] for x in a]),
)
both(
    "right_alignment",
    y_true=c.floats((6, 6)),
    y_pred=c.floats((6, 6)),
    sample_weight=c.weights(over=("y_true", "y_pred"), axes=1),
    laws=[c.covers_leading_axes],
)
both("float32_accumulation", x=c.floats((8, 2), 0, 1000), laws=[c.accumulates_wide])
both("input_mutation", x=c.floats((8, 3)))
both(
    "output_only_masking",
    p=c.floats((4, 5), 0.01, 1),
    mask=c.masks(over="p"),
    laws=[c.gradient],
    oracle=lambda p, mask: -math.fsum(x * math.log(x) for x in p[mask]),
)
both(
    "data_dependent_branch",
    x=c.floats((4, 5)),
    mask=c.masks(over="x"),
    laws=[c.compiles],
    oracle=lambda x, mask: math.fsum(x[mask]) / mask.sum(),
)
both("dtype_promoted", x=c.floats((4, 5)))
both("device_dropped", x=c.floats((20,), 0, 1), laws=[c.needs_no_values])
both("order_dependence", x=c.floats((8, 3)), laws=[c.order_invariant])
