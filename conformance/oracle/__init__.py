"""Values in higher precision, by a route of their own, and how far off a result may be.

Nothing here calls the package that is checked. Values are mpmath numbers of 200 bits, made
by loops over single elements; excluded elements are never looked at.

The bound of a result is ``u |result| + n u64 sum|terms| + sum|w| d``, where u is the unit
roundoff of the result's dtype, u64 that of the float64 accumulator, n the number of terms and d
the stated error of each score (see `_scores_common`). It is derived from the operations, never
fitted.
"""

from ._curves import curve_reference
from ._differences import differences
from ._metrics import METRICS, metric_reference
from ._numbers import compute_dtype, mp, unit_roundoff
from ._objective import Scored, objective_reference, score
from ._queries import query_reference
from ._ratios import RATIOS, ratio_reference
from ._reductions import reduction_reference
from ._scores import CLASS_AXIS, LABELS
from ._uncertainty import (
    between_groups_reference,
    bootstrap_reference,
    elements_by_label,
    elements_with_counts,
    normal_reference,
    poisson_count,
)

__all__ = [
    "CLASS_AXIS",
    "LABELS",
    "METRICS",
    "RATIOS",
    "Scored",
    "between_groups_reference",
    "bootstrap_reference",
    "compute_dtype",
    "curve_reference",
    "differences",
    "elements_by_label",
    "elements_with_counts",
    "metric_reference",
    "mp",
    "normal_reference",
    "objective_reference",
    "poisson_count",
    "query_reference",
    "ratio_reference",
    "reduction_reference",
    "score",
    "unit_roundoff",
]
