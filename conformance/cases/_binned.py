"""Metrics of bins: of scores, of a stream of numbers, of calibration."""

from typing import Any

_FEW = {"bins_per_octave": 4}
"""So that 16 numbers share bins, and an array library without histograms is not kept long."""

_TIED = "binary logits with ties"

BINNED_VARIANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "BinnedROCAUC:value low high": ("BinnedROCAUC", {}, _TIED),
    "BinnedROCAUC partial:value low high": ("BinnedROCAUC", {"max_fpr": 0.4, **_FEW}, "binary"),
    "BinnedAveragePrecision:value high": ("BinnedAveragePrecision", _FEW, "binary"),
    "BinnedAveragePrecision:low": ("BinnedAveragePrecision", _FEW, _TIED),
    "BinnedPrecisionRecallCurve:precision recall": (
        "BinnedPrecisionRecallCurve",
        {"bins_per_octave": 1},
        _TIED,
    ),
    "BinnedROCCurve:tpr": ("BinnedROCCurve", {"bins_per_octave": 1}, _TIED),
    "SensitivityAtSpecificity:low high": (
        "SensitivityAtSpecificity",
        {"specificity": 0.618, **_FEW},
        "binary",
    ),
    "SpecificityAtSensitivity:low high": (
        "SpecificityAtSensitivity",
        {"sensitivity": 0.618, **_FEW},
        _TIED,
    ),
    "PrecisionAtRecall:low high": ("PrecisionAtRecall", {"recall": 0.382, **_FEW}, _TIED),
    "RecallAtPrecision:low high": ("RecallAtPrecision", {"precision": 0.75, **_FEW}, "binary"),
    "RecallAtPrecision:threshold": ("RecallAtPrecision", {"precision": 0.375, **_FEW}, "binary"),
    "BinnedQuantile:value high": ("BinnedQuantile", {"q": 0.25, **_FEW}, "values"),
    "BinnedMedianAbsoluteError:value": ("BinnedMedianAbsoluteError", _FEW, "real"),
    "ExpectedCalibrationError": ("ExpectedCalibrationError", {}, "binary"),
    "MaximumCalibrationError": ("MaximumCalibrationError", {"num_bins": 4}, "classes"),
    "ReliabilityCurve:confidence accuracy": ("ReliabilityCurve", {"num_bins": 2}, "binary"),
}
"""Variants of metrics as in `_metrics`; what follows a colon are fields of the result."""

BINS_OF_SCORES = tuple(
    dict.fromkeys(name for name, _, _ in BINNED_VARIANTS.values() if "Calib" not in name)
)
"""Metrics that only ask in which bin a score is."""

NOT_NEGATIVE = tuple(name for name in BINS_OF_SCORES if name != "BinnedROCAUC")
"""Metrics whose ratios of parts of the weights have no bound where those cancel."""


def why_not_binned(variant: str, law: str) -> str | None:
    """Why a law does not apply to a variant, or None if it does."""
    if law == "gradient" and variant.startswith(("BinnedQ", "BinnedM", "RecallAtPrecision:t")):
        return "the result is an edge of a bin, which changes by steps, with the weights too"
    if law == "weight_is_repetition" and variant == "BinnedAveragePrecision:low":
        return "the bound is closer where no element has a weight, and so all are known to be 1"
    return None
