"""What metrics of another metric are near to elsewhere."""

from ._peer import Peers

WRAPPING: dict[str, Peers] = {
    "BetweenGroups": "None of these libraries has it; Fairlearn's `MetricFrame` does.",
    "BootstrapInterval": {
        "torchmetrics.wrappers.BootStrapper": "draws by position",
        "scipy.stats.bootstrap": 'with `method="percentile"`; draws by position',
    },
    "NormalInterval": {"scipy.stats.sem": "the standard error of a mean; no weights"},
}
