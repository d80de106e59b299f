"""Checks that every framework gives the same, right answer, for functions of anybody's.

Declare a function, its inputs, what is right and the laws that hold by `case`; `as_test` of it
makes tests for pytest, `report` runs it right away. The package's own functions go through the
same laws: ``agnostic-mask conform``.
"""

from ._case import Case
from ._environments import Environment
from ._reference import Reference
from ._row import Row
from .author import (
    BASIC,
    FunctionCase,
    OracleError,
    Report,
    accumulates_wide,
    case,
    covers_leading_axes,
    floats,
    integers,
    masks,
    report,
    weights,
)
from .laws import (
    Law,
    Run,
    ViolationError,
    backends_agree,
    compiles,
    dtype_kept,
    excluded_is_absent,
    exclusion_is_removal,
    fits_cupy,
    gradient,
    holds_for_degenerate,
    inputs_untouched,
    law,
    layout_invariant,
    matches_oracle,
    needs_no_values,
    nothing_hidden,
    order_invariant,
    same_bits,
    scale_invariant,
    stays_home,
    thread_safe,
    weight_is_repetition,
    within,
)

__all__ = [
    "BASIC",
    "Case",
    "Environment",
    "FunctionCase",
    "Law",
    "OracleError",
    "Reference",
    "Report",
    "Row",
    "Run",
    "ViolationError",
    "accumulates_wide",
    "backends_agree",
    "case",
    "compiles",
    "covers_leading_axes",
    "dtype_kept",
    "excluded_is_absent",
    "exclusion_is_removal",
    "fits_cupy",
    "floats",
    "gradient",
    "holds_for_degenerate",
    "inputs_untouched",
    "integers",
    "law",
    "layout_invariant",
    "masks",
    "matches_oracle",
    "needs_no_values",
    "nothing_hidden",
    "order_invariant",
    "report",
    "same_bits",
    "scale_invariant",
    "stays_home",
    "thread_safe",
    "weight_is_repetition",
    "weights",
    "within",
]
