"""What curves of scores, rankings of candidates and metrics of sequences equal elsewhere."""

from ._peer import Peers

TIES = "ties as torch sorts them"

CURVES: dict[str, Peers] = {
    "average_precision": {
        "sklearn.metrics.average_precision_score": (
            "raises on infinite scores; 1 for positives alone, 0 for negatives alone"
        ),
        "torchmetrics.classification.BinaryAveragePrecision": (
            "takes the sigmoid of scores that are not within 0 to 1"
        ),
    },
    "roc_auc": {
        "sklearn.metrics.roc_auc_score": "raises on infinite scores",
        "torchmetrics.classification.BinaryAUROC": (
            "takes the sigmoid of scores that are not within 0 to 1; 0 for one class"
        ),
    },
}

RANKINGS: dict[str, Peers] = {
    "DCG": {"sklearn.metrics.dcg_score": "no mask"},
    "MeanAveragePrecision": {
        "sklearn.metrics.average_precision_score": "of one query",
        "torchmetrics.retrieval.RetrievalMAP": TIES,
    },
    "MeanReciprocalRank": {
        "torchmetrics.retrieval.RetrievalMRR": f"`top_k` for `k`; {TIES}",
    },
    "NDCG": {
        "sklearn.metrics.ndcg_score": "no mask",
        "torchmetrics.retrieval.RetrievalNormalizedDCG": "`top_k` for `k`",
    },
    "PrecisionAtK": {"torchmetrics.retrieval.RetrievalPrecision": f"`top_k` for `k`; {TIES}"},
    "RecallAtK": {"torchmetrics.retrieval.RetrievalRecall": f"`top_k` for `k`; {TIES}"},
}

SEQUENCES: dict[str, Peers] = {
    "BitsPerToken": {
        "torchmetrics.text.Perplexity": "its base 2 logarithm, with `from_logits=True`",
    },
    "ExactMatch": {
        "sklearn.metrics.accuracy_score": "of rows of labels 0 and 1; no mask",
        "torchmetrics.classification.MulticlassExactMatch": "",
    },
    "TokenAccuracy": {
        "keras.metrics.SparseCategoricalAccuracy": "of classes; NaN is the greatest",
        "sklearn.metrics.accuracy_score": "of the tokens in one row",
    },
}
