"""Metrics: immutable objects of four pure verbs, `zero`, `update`, `merge` and `compute`.

Call one for the value of a batch: ``metric(y_true, y_pred, weights=None, mask=None)``, or
``metric(x, weights=None, mask=None)`` for those of one array. Weights and mask cover leading axes
of what is scored; an element that either excludes is absent. What a metric is "of nothing" is its
value if no element is included. `MetricSet` computes several in one pass, `Running` keeps a state
for those who want an object that does. An objective is a metric too.
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
from agnostic_mask.metrics._extremes import Max, MaxError, MaxScore, Min
from agnostic_mask.metrics._hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
)
from agnostic_mask.metrics._log_losses import (
    BinaryCrossentropy,
    BrierScore,
    CategoricalCrossentropy,
    Perplexity,
    SparseCategoricalCrossentropy,
)
from agnostic_mask.metrics._overlap import Dice, IoU, MeanIoU
from agnostic_mask.metrics._relative_errors import (
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredLogarithmicError,
    SymmetricMeanAbsolutePercentageError,
    WeightedMeanAbsolutePercentageError,
)
from agnostic_mask.metrics._retrieved import F1, FBeta, Precision, Recall, Specificity
from agnostic_mask.metrics._running import Running
from agnostic_mask.metrics._set import MetricSet
from agnostic_mask.metrics._sums import Mean, MeanScore, Sum

__all__ = [
    "F1",
    "Accuracy",
    "BalancedAccuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
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
    "ExplainedVariance",
    "FBeta",
    "HammingLoss",
    "Hinge",
    "IoU",
    "MatthewsCorrelation",
    "Max",
    "MaxError",
    "MaxScore",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanBiasError",
    "MeanIoU",
    "MeanScore",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "MetricSet",
    "Min",
    "PearsonCorrelation",
    "Perplexity",
    "PinballLoss",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "RootMeanSquaredLogarithmicError",
    "Running",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Specificity",
    "SquaredHinge",
    "StandardDeviation",
    "Sum",
    "SymmetricMeanAbsolutePercentageError",
    "TweedieDeviance",
    "Variance",
    "WeightedMeanAbsolutePercentageError",
]
