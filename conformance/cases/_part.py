"""A metric whose result is a named tuple, seen through one of its fields."""

from typing import Any

import agnostic_mask as am


class Part:
    """One field of a metric's result, with the verbs of a metric."""

    def __init__(self, metric: am.metrics.Metric, field: str) -> None:
        self.metric, self.field = metric, field
        self.zero, self.merge = metric.zero, metric.merge
        self.statistic = metric.statistic

    def __call__(self, *arrays: Any, **covers: Any) -> am.Array:
        """That field of the value of a batch."""
        return getattr(self.metric(*arrays, **covers), self.field)  # type: ignore[operator]

    def update(self, *arrays: Any, **covers: Any) -> Any:
        """State of the batches before and of this one."""
        return self.metric.update(*arrays, **covers)  # type: ignore[attr-defined]

    def compute(self, state: Any) -> am.Array:
        """That field of the value of a state."""
        return getattr(self.metric.compute(state), self.field)
