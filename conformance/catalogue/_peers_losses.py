"""What the losses equal elsewhere."""

from ._peer import Peers

LAST = "mean over the last axis"
ALL = "mean of all"

LOSSES: dict[str, Peers] = {
    "absolute_error": {
        "keras.losses.mean_absolute_error": LAST,
        "sklearn.metrics.mean_absolute_error": ALL,
        "torch.nn.functional.l1_loss": "",
    },
    "absolute_percentage_error": {
        "keras.losses.mean_absolute_percentage_error": f"{LAST}; divides by no less than 1e-7",
        "sklearn.metrics.mean_absolute_percentage_error": (
            f"{ALL}, not times 100; divides by no less than 2.2e-16"
        ),
    },
    "binary_crossentropy": {
        "keras.losses.binary_crossentropy": f"{LAST}; clips at 1e-7",
        "sklearn.metrics.log_loss": f"{ALL}; clips at eps",
        "torch.nn.functional.binary_cross_entropy": "of probabilities; no logarithm below -100",
        "torch.nn.functional.binary_cross_entropy_with_logits": "of logits",
        "optax.losses.sigmoid_binary_cross_entropy": "of logits",
    },
    "binary_focal_crossentropy": {
        "keras.losses.binary_focal_crossentropy": f"{LAST}; clips at 1e-7, logits too",
        "optax.losses.sigmoid_focal_loss": "of logits; balances classes if alpha is given",
    },
    "categorical_crossentropy": {
        "keras.losses.categorical_crossentropy": "clips at 1e-7",
        "torch.nn.functional.cross_entropy": "of logits; class axis second",
        "optax.losses.softmax_cross_entropy": "of logits",
    },
    "categorical_focal_crossentropy": {
        "keras.losses.categorical_focal_crossentropy": "clips at 1e-7, logits too",
    },
    "categorical_generalized_cross_entropy": {
        "keras.losses.categorical_generalized_cross_entropy": (
            "q has no default; class axis last; drops a dimension of 1 from the labels"
        ),
    },
    "categorical_hinge": {
        "keras.losses.categorical_hinge": "",
    },
    "charbonnier": {
        "numpy.hypot": "of the residual and epsilon",
    },
    "cosine_similarity": {
        "keras.losses.cosine_similarity": "no length below 1e-7",
        "torch.nn.functional.cosine_similarity": "of the other sign; no length below 1e-8",
        "optax.losses.cosine_similarity": "of the other sign",
    },
    "dice": {
        "keras.losses.Dice": "with `axis=None`; adds 1e-7 below the line alone",
        "optax.losses.binary_dice_loss": "of logits; one a sample; its `smooth` is half of ours",
    },
    "gamma_deviance": {
        "sklearn.metrics.mean_gamma_deviance": f"{ALL}; raises out of range",
    },
    "gaussian_nll": {
        "torch.nn.functional.gaussian_nll_loss": (
            "`eps` for `epsilon`, whose gradient below it is not 0; raises below 0"
        ),
    },
    "hinge": {
        "keras.losses.hinge": f"{LAST}; 0 is -1 only where a batch has 0 and 1 alone",
        "sklearn.metrics.hinge_loss": f"{ALL}, of two classes",
        "optax.losses.hinge_loss": "of labels -1 and 1",
    },
    "huber": {
        "keras.losses.huber": LAST,
        "torch.nn.functional.huber_loss": "",
        "optax.losses.huber_loss": "",
    },
    "jaccard": {
        "sklearn.metrics.jaccard_score": "1 less it, of labels",
    },
    "js_divergence": {
        "torchmetrics.regression.JensenShannonDivergence": f"{ALL}; divides by the sums",
        "scipy.spatial.distance.jensenshannon": "its square; divides by the sums",
    },
    "kl_divergence": {
        "keras.losses.kl_divergence": "clips at 1e-7",
        "torch.nn.functional.kl_div": "our `log_input=True`; one for each class",
        "optax.losses.kl_divergence": "our `log_input=True`",
        "optax.losses.kl_divergence_with_log_targets": "our `log_input=True, log_target=True`",
        "torchmetrics.regression.KLDivergence": f"{ALL}; takes y_true first; divides by the sums",
        "scipy.special.rel_entr": "one for each class",
    },
    "log_cosh": {
        "keras.losses.log_cosh": LAST,
        "optax.losses.log_cosh": "",
        "torchmetrics.regression.LogCoshError": ALL,
    },
    "nll": {
        "torch.nn.functional.nll_loss": "class axis second; `ignore_index`, -100 by default",
    },
    "pinball": {
        "sklearn.metrics.mean_pinball_loss": f"{ALL}; `alpha` for `quantile`",
    },
    "poisson": {
        "keras.losses.poisson": f"{LAST}; adds 1e-7 in the logarithm",
        "torch.nn.functional.poisson_nll_loss": "of logarithms by default; adds 1e-8 in its own",
    },
    "smooth_l1": {
        "torch.nn.functional.smooth_l1_loss": "takes `beta=0` too",
    },
    "sparse_categorical_crossentropy": {
        "keras.losses.sparse_categorical_crossentropy": "clips at 1e-7",
        "sklearn.metrics.log_loss": f"{ALL}; clips at eps",
        "torch.nn.functional.cross_entropy": (
            "of logits; class axis second; `ignore_index`, -100 by default"
        ),
        "optax.losses.softmax_cross_entropy_with_integer_labels": "of logits",
    },
    "squared_error": {
        "keras.losses.mean_squared_error": LAST,
        "sklearn.metrics.mean_squared_error": ALL,
        "torch.nn.functional.mse_loss": "",
        "optax.losses.squared_error": "",
    },
    "squared_hinge": {
        "keras.losses.squared_hinge": f"{LAST}; 0 is -1 only where a batch has 0 and 1 alone",
    },
    "squared_logarithmic_error": {
        "keras.losses.mean_squared_logarithmic_error": f"{LAST}; nothing is below 1e-7",
        "sklearn.metrics.mean_squared_log_error": f"{ALL}; raises out of range",
    },
    "symmetric_absolute_percentage_error": {
        "torchmetrics.regression.SymmetricMeanAbsolutePercentageError": (
            f"{ALL}, not times 100; divides by no less than 1.17e-6"
        ),
    },
    "tversky": {
        "keras.losses.Tversky": (
            "with `axis=None`; alpha and beta exchanged; adds 1e-7 below the line alone"
        ),
        "optax.losses.dice_loss": "one for each sample and class, or their mean",
    },
    "tweedie_deviance": {
        "sklearn.metrics.mean_tweedie_deviance": f"{ALL}; raises out of range",
        "torchmetrics.regression.TweedieDevianceScore": f"{ALL}; raises out of range",
    },
}
