"""Laws: properties that hold for a case in every environment, for every float type.

Each law is a function of a `Run` that returns the share of the bound that was filled, or None
where bits were compared, and raises `ViolationError` if the property does not hold.
"""

from ._exclusion import excluded_is_absent
from ._framework import (
    compiles,
    dtype_kept,
    inputs_untouched,
    layout_invariant,
    nothing_hidden,
    stays_home,
    thread_safe,
)
from ._gradients import gradient
from ._law import Law, law, same_bits, within
from ._one_run import NotHereError, Run, ViolationError
from ._static import fits_cupy, needs_no_values
from ._values import (
    backends_agree,
    cut_invariant,
    exclusion_is_removal,
    holds_for_degenerate,
    matches_oracle,
    order_invariant,
    scale_invariant,
    weight_is_repetition,
)

LAWS = (
    matches_oracle,
    holds_for_degenerate,
    excluded_is_absent,
    exclusion_is_removal,
    weight_is_repetition,
    scale_invariant,
    order_invariant,
    cut_invariant,
    stays_home,
    dtype_kept,
    inputs_untouched,
    nothing_hidden,
    needs_no_values,
    compiles,
    fits_cupy,
    layout_invariant,
    thread_safe,
    gradient,
    backends_agree,
)
"""Laws of our own catalogue."""

__all__ = [
    "LAWS",
    "Law",
    "NotHereError",
    "Run",
    "ViolationError",
    "backends_agree",
    "compiles",
    "cut_invariant",
    "dtype_kept",
    "excluded_is_absent",
    "exclusion_is_removal",
    "fits_cupy",
    "gradient",
    "holds_for_degenerate",
    "inputs_untouched",
    "law",
    "layout_invariant",
    "matches_oracle",
    "needs_no_values",
    "nothing_hidden",
    "order_invariant",
    "same_bits",
    "scale_invariant",
    "stays_home",
    "thread_safe",
    "weight_is_repetition",
    "within",
]
