"""Ten bugs as people write them, and the same functions without."""

import numpy as np
from array_api_compat import array_namespace, device

# -- a wrong axis


def wrong_axis(scores):
    xp = array_namespace(scores)
    shifted = scores - xp.max(scores, axis=0, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=0, keepdims=True))


def wrong_axis_mended(scores):
    xp = array_namespace(scores)
    shifted = scores - xp.max(scores, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


# -- a round trip through the host


def host_round_trip(a, b):
    xp = array_namespace(a, b)
    similarity = np.asarray(a) @ np.asarray(b).T
    return xp.asarray(similarity, device=device(a))


def host_round_trip_mended(a, b):
    xp = array_namespace(a, b)
    return a @ xp.matrix_transpose(b)


# -- weights of rows that are aligned with columns


def right_alignment(y_true, y_pred, sample_weight):
    xp = array_namespace(y_true, y_pred)
    weights = xp.broadcast_to(sample_weight, y_true.shape)
    return xp.sum(weights * (y_true - y_pred) ** 2) / xp.sum(weights)


def right_alignment_mended(y_true, y_pred, sample_weight):
    xp = array_namespace(y_true, y_pred)
    if sample_weight.ndim < y_true.ndim:
        sample_weight = sample_weight[:, None]
    weights = xp.broadcast_to(sample_weight, y_true.shape)
    return xp.sum(weights * (y_true - y_pred) ** 2) / xp.sum(weights)


# -- a sum in float32


def float32_accumulation(x):
    xp = array_namespace(x)
    return xp.sum(x, axis=0) / x.shape[0]


def float32_accumulation_mended(x):
    xp = array_namespace(x)
    return xp.astype(xp.sum(x, axis=0, dtype=xp.float64) / x.shape[0], x.dtype)


# -- an input that is written to


def input_mutation(x):
    xp = array_namespace(x)
    x -= xp.mean(x, axis=0)
    return x


def input_mutation_mended(x):
    xp = array_namespace(x)
    return x - xp.mean(x, axis=0)


# -- a mask that selects the output alone


def output_only_masking(p, mask):
    xp = array_namespace(p, mask)
    return -xp.sum(xp.where(mask, p * xp.log(p), xp.zeros_like(p)))


def output_only_masking_mended(p, mask):
    xp = array_namespace(p, mask)
    p = xp.where(mask, p, xp.ones_like(p))
    return -xp.sum(p * xp.log(p))


# -- a branch on values


def data_dependent_branch(x, mask):
    xp = array_namespace(x, mask)
    count = xp.sum(xp.astype(mask, x.dtype))
    if count == 0:
        return xp.zeros_like(count)
    return xp.sum(xp.where(mask, x, xp.zeros_like(x))) / count


def data_dependent_branch_mended(x, mask):
    xp = array_namespace(x, mask)
    count = xp.sum(xp.astype(mask, x.dtype))
    total = xp.sum(xp.where(mask, x, xp.zeros_like(x)))
    return xp.where(count == 0, count, total / xp.where(count == 0, xp.ones_like(count), count))


# -- a dtype that grows


def dtype_promoted(x):
    xp = array_namespace(x)
    steps = xp.arange(x.shape[-1], dtype=xp.float64, device=device(x))
    return xp.sum(x * steps, axis=-1)


def dtype_promoted_mended(x):
    xp = array_namespace(x)
    steps = xp.arange(x.shape[-1], dtype=x.dtype, device=device(x))
    return xp.sum(x * steps, axis=-1)


# -- a device that is dropped


def device_dropped(x, n_bins=4):
    xp = array_namespace(x)
    edges = xp.linspace(0, 1, n_bins + 1, dtype=x.dtype)
    return xp.sum(xp.astype(x[..., None] >= edges, x.dtype), axis=0)


def device_dropped_mended(x, n_bins=4):
    xp = array_namespace(x)
    edges = xp.linspace(0, 1, n_bins + 1, dtype=x.dtype, device=device(x))
    return xp.sum(xp.astype(x[..., None] >= edges, x.dtype), axis=0)


# -- a result that depends on the order of rows


def order_dependence(x):
    xp = array_namespace(x)
    middle = x.shape[0] // 2
    return xp.mean(x[:middle, ...], axis=0) - xp.mean(x, axis=0)


def order_dependence_mended(x):
    xp = array_namespace(x)
    return xp.max(x, axis=0) - xp.mean(x, axis=0)
