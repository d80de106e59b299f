"""Values in higher precision, by a route of their own, and how far off a result may be.

Nothing here calls the package that is checked. Values are mpmath numbers of 200 bits, made
by loops over single elements; excluded elements are never looked at.

The bound of a result is ``u |result| + n u64 sum|terms| + sum|w| d``, where u is the unit
roundoff of the result's dtype, u64 that of the float64 accumulator, n the number of terms and d
the stated error of each score (see `_scores_common`). It is derived from the operations, never
fitted.
"""

from ._metrics import METRICS, metric_reference
from ._numbers import Reference, compute_dtype, unit_roundoff
from ._objective import Scored, objective_reference, score
from ._ratios import RATIOS, ratio_reference
from ._reductions import reduction_reference
from ._scores import CLASS_AXIS, LABELS
from ._slopes import slopes

__all__ = [
    "CLASS_AXIS",
    "LABELS",
    "METRICS",
    "RATIOS",
    "Reference",
    "Scored",
    "compute_dtype",
    "metric_reference",
    "objective_reference",
    "ratio_reference",
    "reduction_reference",
    "score",
    "slopes",
    "unit_roundoff",
]
