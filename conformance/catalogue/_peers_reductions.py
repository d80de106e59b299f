"""What the reductions, and the functions beside them, equal elsewhere."""

from ._peer import Peers

MASK_ALONE = "has a mask, no weights"
WHERE = "a mask is `where`; no weights"
NEITHER = "neither mask nor weights"

REDUCTIONS: dict[str, Peers] = {
    "all": {"numpy.all": WHERE},
    "any": {"numpy.any": WHERE},
    "argmax": {"torch.masked.argmax": MASK_ALONE, "numpy.argmax": NEITHER},
    "argmin": {"torch.masked.argmin": MASK_ALONE, "numpy.argmin": NEITHER},
    "corrcoef": {
        "torch.corrcoef": f"variables first; {NEITHER}",
        "numpy.corrcoef": f"with `rowvar=False`; {NEITHER}",
    },
    "count": {"numpy.ma.count": "its mask is True where excluded; no weights"},
    "cov": {
        "torch.cov": "variables first; weights are `fweights`, integers",
        "numpy.cov": "with `rowvar=False`; weights are `fweights`, integers",
    },
    "cumulative_sum": {
        "torch.masked.cumsum": MASK_ALONE,
        "numpy.cumulative_sum": NEITHER,
    },
    "histogram": {
        "torch.histogram": "no mask",
        "numpy.histogram": "no mask",
    },
    "log_softmax": {
        "torch.masked.log_softmax": "",
        "scipy.special.log_softmax": "no mask",
    },
    "logsumexp": {
        "torch.masked.logsumexp": MASK_ALONE,
        "scipy.special.logsumexp": "weights are `b`; no mask",
    },
    "max": {
        "torch.masked.amax": MASK_ALONE,
        "numpy.max": "with `initial=-inf`; a mask is `where`; no weights",
    },
    "mean": {
        "torch.masked.mean": MASK_ALONE,
        "numpy.average": "no mask; raises where weights sum to 0",
        "numpy.mean": WHERE,
    },
    "median": {
        "numpy.median": NEITHER,
        "numpy.nanmedian": "a mask is NaN; no weights",
    },
    "min": {
        "torch.masked.amin": MASK_ALONE,
        "numpy.min": "with `initial=inf`; a mask is `where`; no weights",
    },
    "quantile": {
        "torch.quantile": NEITHER,
        "numpy.quantile": "no mask; weights for `inverted_cdf` alone",
        "numpy.nanquantile": "a mask is NaN; weights for `inverted_cdf` alone",
        "scipy.stats.quantile": "no mask; of weights that are not integers another at a jump",
    },
    "softmax": {
        "keras.layers.Softmax": "has a mask; computes in float32",
        "torch.masked.softmax": "",
        "scipy.special.softmax": "no mask",
    },
    "standard_error": {"scipy.stats.sem": "no mask, no weights; along axis 0 by default"},
    "std": {
        "torch.masked.std": f"{MASK_ALONE}; corrects by 1 by default",
        "numpy.std": WHERE,
    },
    "sum": {"torch.masked.sum": MASK_ALONE, "numpy.sum": WHERE},
    "sum_of_weights": {"numpy.average": "the second of its results with `returned=True`; no mask"},
    "var": {
        "torch.masked.var": f"{MASK_ALONE}; corrects by 1 by default",
        "numpy.var": WHERE,
    },
    "vector_norm": {
        "torch.masked.norm": MASK_ALONE,
        "numpy.linalg.vector_norm": NEITHER,
    },
}

OTHERS: dict[str, Peers] = {
    "class_weights": {
        "sklearn.utils.class_weight.compute_sample_weight": "of a dict from label to weight",
    },
    "sequence_mask": "None of these libraries has it.",
    "weighted_masked_objective": "See its reductions.",
}

OBJECTIVE: dict[str, Peers] = {
    "keras2": "Keras 2.2.5's `weighted_masked_objective`; Keras 3 has no such reduction.",
    "keras3": {
        "keras.losses.Loss": '`reduction="sum_over_batch_size"`',
    },
    "mean": {
        "keras.losses.Loss": '`reduction="mean_with_sample_weight"`',
        "numpy.average": "no mask; raises where weights sum to 0",
    },
    "sum": {"keras.losses.Loss": '`reduction="sum"`'},
    "none": {"keras.losses.Loss": '`reduction="none"`'},
}
"""Of the objective's reductions, by their names."""
