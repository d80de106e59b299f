"""What binned metrics are near to elsewhere."""

from ._peer import Peers

WIDTHS = "in 200 bins of equal width from 0 to 1"
EXACT = "the exact value"
POINTS = "a point for each score, or thresholds of equal distance from 0 to 1"
THRESHOLDS = "of 200 thresholds of equal distance from 0 to 1"

BINNED: dict[str, Peers] = {
    "BinnedAveragePrecision": {
        "keras.metrics.AUC": f'with `curve="PR"`, another area: {WIDTHS}, interpolated',
        "sklearn.metrics.average_precision_score": EXACT,
        "torchmetrics.classification.BinaryAveragePrecision": (
            "exact, or with `thresholds` of equal distance from 0 to 1"
        ),
    },
    "BinnedMedianAbsoluteError": {
        "sklearn.metrics.median_absolute_error": f"{EXACT}; of an even number the middle of two",
    },
    "BinnedPrecisionRecallCurve": {
        "sklearn.metrics.precision_recall_curve": "a point for each score; thresholds rise",
        "torchmetrics.classification.BinaryPrecisionRecallCurve": POINTS,
    },
    "BinnedQuantile": {
        "numpy.quantile": f'{EXACT}, with `method="inverted_cdf"`',
    },
    "BinnedROCAUC": {
        "keras.metrics.AUC": WIDTHS,
        "sklearn.metrics.roc_auc_score": f"{EXACT}; `max_fpr` too",
        "torchmetrics.classification.BinaryAUROC": (
            "exact, or with `thresholds` of equal distance from 0 to 1"
        ),
    },
    "BinnedROCCurve": {
        "sklearn.metrics.roc_curve": "a point for each score",
        "torchmetrics.classification.BinaryROC": POINTS,
    },
    "ExpectedCalibrationError": {
        "torchmetrics.classification.BinaryCalibrationError": (
            "a confidence of 1 is in a bin of its own"
        ),
        "torchmetrics.classification.MulticlassCalibrationError": (
            "a confidence of 1 is in a bin of its own"
        ),
    },
    "MaximumCalibrationError": {
        "torchmetrics.classification.BinaryCalibrationError": 'with `norm="max"`',
        "torchmetrics.classification.MulticlassCalibrationError": 'with `norm="max"`',
    },
    "PrecisionAtRecall": {
        "keras.metrics.PrecisionAtRecall": THRESHOLDS,
        "torchmetrics.classification.BinaryPrecisionAtFixedRecall": ("exact, or of `thresholds`"),
    },
    "RecallAtPrecision": {
        "keras.metrics.RecallAtPrecision": THRESHOLDS,
        "torchmetrics.classification.BinaryRecallAtFixedPrecision": "exact, or of `thresholds`",
    },
    "ReliabilityCurve": {
        "sklearn.calibration.calibration_curve": "of two classes; no empty bins, no weights",
    },
    "SensitivityAtSpecificity": {
        "keras.metrics.SensitivityAtSpecificity": THRESHOLDS,
        "torchmetrics.classification.BinarySensitivityAtSpecificity": "exact, or of `thresholds`",
    },
    "SpecificityAtSensitivity": {
        "keras.metrics.SpecificityAtSensitivity": THRESHOLDS,
        "torchmetrics.classification.BinarySpecificityAtSensitivity": "exact, or of `thresholds`",
    },
}
