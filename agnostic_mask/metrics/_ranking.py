"""Metrics of rankings: how high the relevant candidates of each query are scored."""

import functools
from dataclasses import dataclass, field
from typing import Any

from agnostic_mask.metrics import _query_measures
from agnostic_mask.metrics._options import integer
from agnostic_mask.metrics._queries import QueryMetric, QuerySums, query_sums
from agnostic_mask.metrics._query_measures import Gain


def _rank(k: Any) -> int:
    return integer("k", k, "an integer of at least 1, the number of ranks to look at", 1)


def _rank_or_none(k: Any) -> int | None:
    return None if k is None else _rank(k)


def _checked_gain(gain: Any) -> Gain:
    if gain not in ("linear", "exponential"):
        raise ValueError(f"gain is {gain!r}; expected 'linear' or 'exponential'")
    found: Gain = gain
    return found


@dataclass(frozen=True)
class DCG(QueryMetric):
    """Discounted cumulative gain, ``sum(gain / log2(rank + 1))``, the mean over queries.

    Takes y_true, the relevance (at least 0) of the candidates of each query along the last axis,
    and y_pred, their scores, of equal shape (..., K). Ranks count from 1 at the greatest score.

    Parameters
    ----------
    k : int, optional
        The last rank that counts; beyond the end of a list it is its end. None: all.
    gain : {"linear", "exponential"}
        The relevance itself, or ``2**relevance - 1``.

    Raises
    ------
    ValueError
        If `k` is not an integer of at least 1, or `gain` none of these.

    Notes
    -----
    A mask leaves candidates out (shape (..., K): the padding of lists), or queries (the shape of
    the leading axes). Weights are of queries. A query without a candidate is absent; of no query
    NaN; NaN too where an included candidate has a NaN, or a relevance below 0. Candidates that tie
    share the mean of their discounts, so that their order does not matter (McSherry and Najork,
    2008): scikit-learn's `dcg_score` with ``ignore_ties=False``, which has no mask. LightGBM has
    exponential gains.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[2.0, 0.0, 1.0]]), np.asarray([[0.1, 0.2, 0.9]])
    >>> am.metrics.DCG()(y_true, y_pred)
    array(2.)
    >>> am.metrics.DCG()(y_true, y_pred, mask=np.asarray([[False, True, True]]))
    array(1.)
    """

    k: int | None = None
    gain: Gain = "linear"

    def _gathers(self) -> QuerySums:
        k, gain = _rank_or_none(self.k), _checked_gain(self.gain)
        return query_sums(functools.partial(_query_measures.dcg, k=k, gain=gain))


@dataclass(frozen=True)
class NDCG(QueryMetric):
    """Discounted cumulative gain divided by that of the best order, the mean over queries.

    Takes what `DCG` takes.

    Parameters
    ----------
    k, gain
        As of `DCG`, as are errors.
    zero_division : float
        Value of a query whose candidates are all of relevance 0; NaN leaves such queries out. What
        is no number raises ValueError.

    Notes
    -----
    Mask, weights, ties and NaN as for `DCG`. From 0 to 1. scikit-learn's `ndcg_score`, which has
    no mask, and torchmetrics' `RetrievalNormalizedDCG` with ``empty_target_action="neg"``; both
    with linear gains. LightGBM's has exponential gains and is 1 where nothing is relevant.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[3.0, 0.0, 1.0]]), np.asarray([[0.1, 0.2, 0.9]])
    >>> am.metrics.NDCG(k=1)(y_true, y_pred).round(4)
    np.float64(0.3333)
    """

    k: int | None = None
    gain: Gain = "linear"
    zero_division: float = field(default=0.0, kw_only=True)

    def _gathers(self) -> QuerySums:
        k, gain = _rank_or_none(self.k), _checked_gain(self.gain)
        measure = functools.partial(_query_measures.ndcg, k=k, gain=gain)
        return query_sums(measure, self.zero_division)


@dataclass(frozen=True)
class PrecisionAtK(QueryMetric):
    """Share of relevant candidates among the first k, ``hits / k``; of queries the mean.

    Takes y_true, above 0 where a candidate of a query is relevant, along the last axis, and y_pred,
    the scores, of equal shape (..., K).

    Parameters
    ----------
    k : int
        The last rank that counts.

    Raises
    ------
    ValueError
        If `k` is not an integer of at least 1.

    Notes
    -----
    Mask, weights and NaN as for `DCG`. Of candidates that tie across rank k each counts by the
    share of them that is above: the mean over their orders. A list shorter than k is divided by
    k, as `trec_eval` does and torchmetrics' `RetrievalPrecision` without ``adaptive_k``, which
    takes ties as torch sorts them, and a candidate whose score is 0 or less for irrelevant.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[1, 0, 1, 0]]), np.asarray([[0.9, 0.5, 0.5, 0.1]])
    >>> am.metrics.PrecisionAtK(2)(y_true, y_pred)
    array(0.75)
    """

    k: int

    def _gathers(self) -> QuerySums:
        measure = functools.partial(_query_measures.precision_at_k, k=_rank(self.k))
        return query_sums(measure)


@dataclass(frozen=True)
class RecallAtK(QueryMetric):
    """Share of the relevant candidates that are among the first k; of queries the mean.

    Takes what `PrecisionAtK` takes.

    Parameters
    ----------
    k : int
        The last rank that counts.
    zero_division : float
        Value of a query without a relevant candidate; NaN leaves such queries out.

    Raises
    ------
    ValueError
        If `k` is not an integer of at least 1, or `zero_division` is no number.

    Notes
    -----
    Mask, weights, ties and NaN as for `PrecisionAtK`. For a k beyond the end of a list 1.
    torchmetrics' `RetrievalRecall` with ``empty_target_action="neg"``, but for ties.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[1, 0, 1, 0]]), np.asarray([[0.9, 0.5, 0.5, 0.1]])
    >>> am.metrics.RecallAtK(1)(y_true, y_pred)
    array(0.5)
    """

    k: int
    zero_division: float = field(default=0.0, kw_only=True)

    def _gathers(self) -> QuerySums:
        measure = functools.partial(_query_measures.recall_at_k, k=_rank(self.k))
        return query_sums(measure, self.zero_division)


@dataclass(frozen=True)
class MeanAveragePrecision(QueryMetric):
    """Mean over queries of ``sum(precision down to a relevant candidate) / (their number)``.

    Takes what `PrecisionAtK` takes.

    Parameters
    ----------
    zero_division : float
        Value of a query without a relevant candidate; NaN leaves such queries out.

    Raises
    ------
    ValueError
        If `zero_division` is no number.

    Notes
    -----
    Mask, weights and NaN as for `DCG`. Precision down to a candidate counts all that tie with it,
    so that their order does not matter: the mean of scikit-learn's `average_precision_score` of
    each query. torchmetrics' `RetrievalMAP` takes ties as torch sorts them, and a candidate whose
    score is 0 or less for irrelevant. The measure of this name in object detection is another.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[1, 0, 1, 0]]), np.asarray([[0.9, 0.5, 0.4, 0.1]])
    >>> am.metrics.MeanAveragePrecision()(y_true, y_pred).round(4)
    np.float64(0.8333)
    """

    zero_division: float = field(default=0.0, kw_only=True)

    def _gathers(self) -> QuerySums:
        return query_sums(_query_measures.average_precision, self.zero_division)


@dataclass(frozen=True)
class MeanReciprocalRank(QueryMetric):
    """Mean over queries of ``1 / rank`` of the relevant candidate of the greatest score.

    Takes what `PrecisionAtK` takes.

    Parameters
    ----------
    k : int, optional
        The last rank that counts: past it the value is 0. None: all.
    zero_division : float
        Value of a query without a relevant candidate; NaN leaves such queries out.

    Raises
    ------
    ValueError
        If `k` is not an integer of at least 1, or `zero_division` is no number.

    Notes
    -----
    Mask, weights and NaN as for `DCG`. Irrelevant candidates of the same score count as ranked
    before: a model that tells nothing apart gains nothing. torchmetrics' `RetrievalMRR` (its
    `top_k`) takes ties as torch sorts them.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0, 1, 0, 1]]), np.asarray([[0.9, 0.5, 0.4, 0.1]])
    >>> am.metrics.MeanReciprocalRank()(y_true, y_pred)
    array(0.5)
    """

    k: int | None = None
    zero_division: float = field(default=0.0, kw_only=True)

    def _gathers(self) -> QuerySums:
        measure = functools.partial(_query_measures.reciprocal_rank, k=_rank_or_none(self.k))
        return query_sums(measure, self.zero_division)
