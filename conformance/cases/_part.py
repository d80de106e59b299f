"""A metric whose result is a named tuple, seen through some of its fields."""

from typing import Any

import agnostic_mask as am


class Part:
    """One field of a metric's result, or several as one array, with the verbs of a metric."""

    def __init__(self, metric: am.metrics.Metric, *fields: str) -> None:
        self.metric, self.fields = metric, fields
        self.zero, self.merge = metric.zero, metric.merge
        self.statistic = metric.statistic

    def __call__(self, *arrays: Any, **covers: Any) -> am.Array:
        """Those fields of the value of a batch."""
        return self.of(self.metric(*arrays, **covers))  # type: ignore[operator]

    def update(self, *arrays: Any, **covers: Any) -> Any:
        """State of the batches before and of this one."""
        return self.metric.update(*arrays, **covers)  # type: ignore[attr-defined]

    def compute(self, state: Any) -> am.Array:
        """Those fields of the value of a state."""
        return self.of(self.metric.compute(state))

    def of(self, result: Any) -> am.Array:
        """Those fields of a result."""
        found = [getattr(result, field) for field in self.fields]
        return found[0] if len(found) == 1 else am.dispatch(*found).xp.stack(found, axis=-1)
