"""What the metrics equal elsewhere."""

from ._peer import Peers

CLIPS = "clips at 1e-7"
NONE = "None of these libraries has it."
OCCURRING = '"macro" leaves out classes that neither occur nor are predicted'

SUMS: dict[str, Peers] = {
    "BinaryAccuracy": {
        "keras.metrics.BinaryAccuracy": "its threshold is of what is passed, logits too",
        "sklearn.metrics.accuracy_score": "of labels",
        "torchmetrics.classification.BinaryAccuracy": (
            "takes the sigmoid of a batch that is not within 0 to 1"
        ),
    },
    "BinaryCrossentropy": {
        "keras.metrics.BinaryCrossentropy": CLIPS,
        "sklearn.metrics.log_loss": "clips at eps",
    },
    "BrierScore": {
        "sklearn.metrics.brier_score_loss": "with an `axis` it is `scale_by_half=False`",
    },
    "CategoricalAccuracy": {
        "keras.metrics.CategoricalAccuracy": "NaN is the greatest; a row of zeros is class 0",
    },
    "CategoricalCrossentropy": {
        "keras.metrics.CategoricalCrossentropy": CLIPS,
        "sklearn.metrics.log_loss": "of labels; clips at eps",
    },
    "CategoricalHinge": {"keras.metrics.CategoricalHinge": ""},
    "CosineSimilarity": {
        "keras.metrics.CosineSimilarity": "",
        "torchmetrics.regression.CosineSimilarity": 'with `reduction="mean"`',
    },
    "HammingLoss": {
        "sklearn.metrics.hamming_loss": "of labels",
        "torchmetrics.classification.MultilabelHammingDistance": ('with `average="micro"`'),
    },
    "Hinge": {
        "keras.metrics.Hinge": "0 is -1 only where a batch has 0 and 1 alone",
        "sklearn.metrics.hinge_loss": "",
        "torchmetrics.classification.BinaryHingeLoss": ("of labels 0 and 1, of y_pred from 0 to 1"),
    },
    "Mean": {
        "keras.metrics.Mean": "",
        "torchmetrics.aggregation.MeanMetric": "leaves NaN out",
        "numpy.average": "raises where weights sum to 0",
    },
    "MeanAbsoluteError": {
        "keras.metrics.MeanAbsoluteError": "",
        "sklearn.metrics.mean_absolute_error": "",
        "torchmetrics.regression.MeanAbsoluteError": "",
    },
    "MeanAbsolutePercentageError": {
        "keras.metrics.MeanAbsolutePercentageError": "divides by no less than 1e-7",
        "sklearn.metrics.mean_absolute_percentage_error": (
            "not times 100; divides by no less than 2.2e-16"
        ),
        "torchmetrics.regression.MeanAbsolutePercentageError": (
            "not times 100; divides by no less than 1.17e-6"
        ),
    },
    "MeanBiasError": NONE,
    "MeanScore": {"keras.metrics.MeanMetricWrapper": "of a function"},
    "MeanSquaredError": {
        "keras.metrics.MeanSquaredError": "",
        "sklearn.metrics.mean_squared_error": "",
        "torchmetrics.regression.MeanSquaredError": "",
    },
    "MeanSquaredLogarithmicError": {
        "keras.metrics.MeanSquaredLogarithmicError": "nothing is below 1e-7",
        "sklearn.metrics.mean_squared_log_error": "raises out of range",
        "torchmetrics.regression.MeanSquaredLogError": "",
    },
    "Perplexity": {
        "torchmetrics.text.Perplexity": (
            "with `from_logits=True`; `ignore_index` for `ignore_class`"
        ),
    },
    "PinballLoss": {"sklearn.metrics.mean_pinball_loss": "`alpha` for `quantile`"},
    "RootMeanSquaredError": {
        "keras.metrics.RootMeanSquaredError": "ignores masks",
        "sklearn.metrics.root_mean_squared_error": "of several outputs the mean of their roots",
        "torchmetrics.regression.MeanSquaredError": "with `squared=False`",
    },
    "RootMeanSquaredLogarithmicError": {
        "sklearn.metrics.root_mean_squared_log_error": (
            "raises out of range; of several outputs the mean of their roots"
        ),
    },
    "SparseCategoricalAccuracy": {
        "keras.metrics.SparseCategoricalAccuracy": "NaN is the greatest",
        "sklearn.metrics.accuracy_score": "of the argmax",
        "torchmetrics.classification.MulticlassAccuracy": 'with `average="micro"`',
    },
    "SparseCategoricalCrossentropy": {
        "keras.metrics.SparseCategoricalCrossentropy": CLIPS,
        "sklearn.metrics.log_loss": "clips at eps",
    },
    "SparseTopKCategoricalAccuracy": {
        "keras.metrics.SparseTopKCategoricalAccuracy": "counts all that equal the k-th",
        "sklearn.metrics.top_k_accuracy_score": "of equal values the higher class comes first",
        "torchmetrics.classification.MulticlassAccuracy": (
            'with `top_k=k, average="micro"`; equal values as torch finds them'
        ),
    },
    "SquaredHinge": {
        "keras.metrics.SquaredHinge": "0 is -1 only where a batch has 0 and 1 alone",
        "torchmetrics.classification.BinaryHingeLoss": (
            "with `squared=True`; of labels 0 and 1, of y_pred from 0 to 1"
        ),
    },
    "Sum": {
        "keras.metrics.Sum": "",
        "torchmetrics.aggregation.SumMetric": "leaves NaN out",
    },
    "SymmetricMeanAbsolutePercentageError": {
        "torchmetrics.regression.SymmetricMeanAbsolutePercentageError": (
            "not times 100; divides by no less than 1.17e-6"
        ),
    },
    "TweedieDeviance": {
        "sklearn.metrics.mean_tweedie_deviance": "raises out of range",
        "torchmetrics.regression.TweedieDevianceScore": "raises out of range",
    },
    "WeightedMeanAbsolutePercentageError": {
        "torchmetrics.regression.WeightedMeanAbsolutePercentageError": (
            "divides by no less than 1.17e-6"
        ),
    },
}

MOMENTS: dict[str, Peers] = {
    "ConcordanceCorrelation": {
        "keras.metrics.ConcordanceCorrelation": "of each row along `axis`, then the rows' mean",
        "torchmetrics.regression.ConcordanceCorrCoef": ("covariances are corrected by 1"),
    },
    "D2TweedieScore": {"sklearn.metrics.d2_tweedie_score": "raises out of range"},
    "ExplainedVariance": {
        "sklearn.metrics.explained_variance_score": "with `force_finite=False`",
        "torchmetrics.regression.ExplainedVariance": "",
    },
    "PearsonCorrelation": {
        "keras.metrics.PearsonCorrelation": "of each row along `axis`, then the rows' mean",
        "torchmetrics.regression.PearsonCorrCoef": "",
        "numpy.corrcoef": "element [0, 1]; no weights",
        "scipy.stats.pearsonr": "its statistic; no weights",
    },
    "R2Score": {
        "keras.metrics.R2Score": "of a constant y_true never -Inf; ignores masks",
        "sklearn.metrics.r2_score": "with `force_finite=False`",
        "torchmetrics.regression.R2Score": "",
    },
    "StandardDeviation": {"numpy.std": "no weights"},
    "Variance": {"numpy.var": "no weights"},
}

EXTREMES: dict[str, Peers] = {
    "Max": {
        "torchmetrics.aggregation.MaxMetric": "leaves NaN out",
        "numpy.max": "with `initial=-inf`",
    },
    "MaxError": {"sklearn.metrics.max_error": "raises on nothing"},
    "MaxScore": NONE,
    "Min": {
        "torchmetrics.aggregation.MinMetric": "leaves NaN out",
        "numpy.min": "with `initial=inf`",
    },
}

COUNTS: dict[str, Peers] = {
    "Accuracy": {
        "keras.metrics.Accuracy": "of labels",
        "sklearn.metrics.accuracy_score": "of labels",
        "torchmetrics.classification.MulticlassAccuracy": 'with `average="micro"`',
    },
    "BalancedAccuracy": {
        "sklearn.metrics.balanced_accuracy_score": "",
        "torchmetrics.classification.MulticlassAccuracy": (
            "counts classes that are predicted without being there"
        ),
    },
    "CohenKappa": {
        "sklearn.metrics.cohen_kappa_score": "`weights` for `distance`",
        "torchmetrics.classification.MulticlassCohenKappa": "`weights` for `distance`",
    },
    "ConfusionMatrix": {
        "sklearn.metrics.confusion_matrix": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassConfusionMatrix": "",
    },
    "Dice": {
        "sklearn.metrics.f1_score": "with `labels=range(num_classes)`",
        "torchmetrics.segmentation.DiceScore": "of each image, then the images' mean",
    },
    "F1": {
        "keras.metrics.F1Score": "of one-hot labels; ignores masks",
        "sklearn.metrics.f1_score": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassF1Score": OCCURRING,
    },
    "FBeta": {
        "keras.metrics.FBetaScore": "of one-hot labels; ignores masks",
        "sklearn.metrics.fbeta_score": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassFBetaScore": OCCURRING,
    },
    "IoU": {
        "keras.metrics.IoU": 'of labels; cuts weights to integers unless `dtype="float32"`',
        "sklearn.metrics.jaccard_score": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassJaccardIndex": OCCURRING,
    },
    "MatthewsCorrelation": {
        "sklearn.metrics.matthews_corrcoef": "",
        "torchmetrics.classification.MulticlassMatthewsCorrCoef": (
            "of one class 1 or -1 if all are right or wrong"
        ),
    },
    "MeanIoU": {
        "keras.metrics.MeanIoU": 'of labels; cuts weights to integers unless `dtype="float32"`',
        "torchmetrics.segmentation.MeanIoU": "of each batch or image, then their mean",
    },
    "Precision": {
        "keras.metrics.Precision": "of one class; ignores masks",
        "sklearn.metrics.precision_score": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassPrecision": OCCURRING,
    },
    "Recall": {
        "keras.metrics.Recall": "of one class; ignores masks",
        "sklearn.metrics.recall_score": "with `labels=range(num_classes)`",
        "torchmetrics.classification.MulticlassRecall": OCCURRING,
    },
    "Specificity": {
        "sklearn.metrics.recall_score": "of two classes, with `pos_label=0`",
        "torchmetrics.classification.MulticlassSpecificity": OCCURRING,
    },
}
