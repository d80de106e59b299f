"""Public functions that no case covers."""

from collections.abc import Sequence

import agnostic_mask as am

from ._row import Row
from .cases import NOT_NUMERIC


def uncovered(rows: Sequence[Row]) -> list[str]:
    """Public functions for which no row ran and no reason is written."""
    ran = {row.covers for row in rows}
    public = {name for name in am.__all__ if name not in NOT_NUMERIC}
    public |= {f"losses.{name}" for name in am.losses.__all__}
    public |= {f"metrics.{name}" for name in am.metrics.__all__ if name not in NOT_NUMERIC}
    # The objective is what every loss is run through.
    public.discard("weighted_masked_objective")
    return sorted(public - ran)
