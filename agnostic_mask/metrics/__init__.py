"""Metrics: immutable objects of four pure verbs, `zero`, `update`, `merge` and `compute`.

Call one for the value of a batch: ``metric(y_true, y_pred, weights=None, mask=None)``, or
``metric(x, weights=None, mask=None)`` for those of one array. Weights and mask cover leading axes
of what is scored; an element that either excludes is absent. What a metric is "of nothing" is its
value if no element is included. `MetricSet` computes several in one pass, `Running` keeps a state
for those who want an object that does. An objective is a metric too.

`roc_auc` and `average_precision` are functions, without verbs: they put all scores in order, which
parts do not allow.
"""

from agnostic_mask._metric import Metric
from agnostic_mask.metrics._accuracies import (
    BinaryAccuracy,
    CategoricalAccuracy,
    HammingLoss,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
)
from agnostic_mask.metrics._agreement import (
    Accuracy,
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    MatthewsCorrelation,
)
from agnostic_mask.metrics._association import (
    ConcordanceCorrelation,
    ExplainedVariance,
    PearsonCorrelation,
    R2Score,
    StandardDeviation,
    Variance,
)
from agnostic_mask.metrics._between_groups import BetweenGroups
from agnostic_mask.metrics._binned_curves import (
    BinnedAveragePrecision,
    BinnedPrecisionRecallCurve,
    BinnedROCAUC,
    BinnedROCCurve,
    PrecisionRecallCurve,
    ROCCurve,
)
from agnostic_mask.metrics._binned_quantiles import BinnedMedianAbsoluteError, BinnedQuantile
from agnostic_mask.metrics._binning import Bounded
from agnostic_mask.metrics._calibration import (
    ExpectedCalibrationError,
    MaximumCalibrationError,
    Reliability,
    ReliabilityCurve,
)
from agnostic_mask.metrics._deviance import D2TweedieScore
from agnostic_mask.metrics._errors_of_values import (
    CosineSimilarity,
    MeanAbsoluteError,
    MeanBiasError,
    MeanSquaredError,
    PinballLoss,
    RootMeanSquaredError,
    TweedieDeviance,
)
from agnostic_mask.metrics._exact_curves import average_precision, roc_auc
from agnostic_mask.metrics._extremes import Max, MaxError, MaxScore, Min
from agnostic_mask.metrics._hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
)
from agnostic_mask.metrics._intervals import BootstrapInterval, Interval
from agnostic_mask.metrics._log_losses import (
    BinaryCrossentropy,
    BrierScore,
    CategoricalCrossentropy,
    Perplexity,
    SparseCategoricalCrossentropy,
)
from agnostic_mask.metrics._normal_interval import NormalInterval
from agnostic_mask.metrics._operating_points import (
    OperatingPoint,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from agnostic_mask.metrics._overlap import Dice, IoU, MeanIoU
from agnostic_mask.metrics._ranking import (
    DCG,
    NDCG,
    MeanAveragePrecision,
    MeanReciprocalRank,
    PrecisionAtK,
    RecallAtK,
)
from agnostic_mask.metrics._relative_errors import (
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredLogarithmicError,
    SymmetricMeanAbsolutePercentageError,
    WeightedMeanAbsolutePercentageError,
)
from agnostic_mask.metrics._retrieved import F1, FBeta, Precision, Recall, Specificity
from agnostic_mask.metrics._running import Running
from agnostic_mask.metrics._sequences import BitsPerToken, ExactMatch, TokenAccuracy
from agnostic_mask.metrics._set import MetricSet
from agnostic_mask.metrics._sums import Mean, MeanScore, Sum

__all__ = [
    "DCG",
    "F1",
    "NDCG",
    "Accuracy",
    "BalancedAccuracy",
    "BetweenGroups",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinnedAveragePrecision",
    "BinnedMedianAbsoluteError",
    "BinnedPrecisionRecallCurve",
    "BinnedQuantile",
    "BinnedROCAUC",
    "BinnedROCCurve",
    "BitsPerToken",
    "BootstrapInterval",
    "Bounded",
    "BrierScore",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CohenKappa",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "CosineSimilarity",
    "D2TweedieScore",
    "Dice",
    "ExactMatch",
    "ExpectedCalibrationError",
    "ExplainedVariance",
    "FBeta",
    "HammingLoss",
    "Hinge",
    "Interval",
    "IoU",
    "MatthewsCorrelation",
    "Max",
    "MaxError",
    "MaxScore",
    "MaximumCalibrationError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanAveragePrecision",
    "MeanBiasError",
    "MeanIoU",
    "MeanReciprocalRank",
    "MeanScore",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "MetricSet",
    "Min",
    "NormalInterval",
    "OperatingPoint",
    "PearsonCorrelation",
    "Perplexity",
    "PinballLoss",
    "Precision",
    "PrecisionAtK",
    "PrecisionAtRecall",
    "PrecisionRecallCurve",
    "R2Score",
    "ROCCurve",
    "Recall",
    "RecallAtK",
    "RecallAtPrecision",
    "Reliability",
    "ReliabilityCurve",
    "RootMeanSquaredError",
    "RootMeanSquaredLogarithmicError",
    "Running",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Specificity",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "StandardDeviation",
    "Sum",
    "SymmetricMeanAbsolutePercentageError",
    "TokenAccuracy",
    "TweedieDeviance",
    "Variance",
    "WeightedMeanAbsolutePercentageError",
    "average_precision",
    "roc_auc",
]
