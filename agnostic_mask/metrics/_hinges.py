"""Metrics of margins."""

import functools
from dataclasses import dataclass

from agnostic_mask import losses
from agnostic_mask._scoring import ScoreFunction
from agnostic_mask.metrics._options import class_axis
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True)
class Hinge(MeanOfScores):
    """Mean hinge loss, that of ``max(1 - t p, 0)``.

    Takes y_true t, labels -1 or 0 (or False), and 1, where every 0 is taken for -1; and y_pred p,
    signed distances from the boundary, of equal shape.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `hinge_loss` of two classes. Keras's `Hinge` takes 0 for -1 only
    if all of y_true is 0 or 1, so that a label's meaning depends on its batch. torchmetrics'
    `BinaryHingeLoss` takes -1 for 1, and the sigmoid of a batch that is not within 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Hinge()(np.asarray([1, -1, 0]), np.asarray([0.25, 0.5, -2.0]))
    array(0.75)
    """

    def _fn(self) -> ScoreFunction:
        return losses.hinge


@dataclass(frozen=True)
class SquaredHinge(MeanOfScores):
    """Mean squared hinge loss, that of ``max(1 - t p, 0)**2``.

    Takes what `Hinge` takes.

    Notes
    -----
    Of nothing: NaN. Keras's `SquaredHinge`; see `Hinge` for labels of 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.SquaredHinge()(np.asarray([1, -1, 0]), np.asarray([0.0, 0.5, -2.0])).round(4)
    np.float64(1.0833)
    """

    def _fn(self) -> ScoreFunction:
        return losses.squared_hinge


@dataclass(frozen=True, kw_only=True)
class CategoricalHinge(MeanOfScores):
    """Mean margin of the right class, that of ``max(1 + max((1 - t) p) - sum(t p), 0)``.

    Takes y_true t, one-hot labels along `axis`, and y_pred p, a score for each class, of equal
    shape. Mask and weights cover rows.

    Parameters
    ----------
    axis : int
        The class axis. Of length 1 it has no other class, in place of whose score is 0.

    Notes
    -----
    Of nothing: NaN. Keras's `CategoricalHinge`, whose inner maximum is at least 0, for the right
    class takes part in it with 0: other classes' scores below 0 count as 0. scikit-learn's
    `hinge_loss` and torchmetrics' `MulticlassHingeLoss` leave the right class out.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.CategoricalHinge()(np.asarray([[0, 1, 0]]), np.asarray([[0.5, 1.0, 2.0]]))
    array(2.)
    """

    axis: int = -1

    def _fn(self) -> ScoreFunction:
        return functools.partial(losses.categorical_hinge, axis=class_axis(self.axis))
