"""Metrics in higher precision: those of a confusion matrix."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ._elements import Elements
from ._numbers import Number, mp
from ._rough import Rough, summed, summed_exact

Result = tuple[Any, Any]


class _Class(NamedTuple):
    """One class against all others."""

    tp: Rough
    fp: Rough
    fn: Rough
    tn: Rough


class _Matrix:
    """Summed weights of each true and predicted class; None if an element is in no cell."""

    def __init__(self, e: Elements) -> None:
        self.n = int(e.options.get("num_classes", 2))
        self.acc = e.acc
        places = [self._place(e, t, p) for t, p in zip(e.true, e.pred, strict=True)]
        self.invalid = None in places
        self.cells = [
            [
                summed_exact(
                    [w for w, at in zip(e.weights, places, strict=True) if at == (i, j)],
                    e.acc if e.weighted else mp.mpf(0),
                )._replace(acc=e.acc)
                for j in range(self.n)
            ]
            for i in range(self.n)
        ]

    def _place(self, e: Elements, true: Number, pred: Any) -> tuple[int, int] | None:
        if isinstance(pred, list):
            if any(mp.isnan(x) for x in pred):
                return None
            found = pred.index(max(pred))
        elif e.options.get("num_classes", 2) == 2 and (mp.isnan(pred) or pred not in (0, 1)):
            if mp.isnan(pred):
                return None
            cut = mp.mpf(e.options.get("threshold", 0.5))
            cut = mp.log(cut / (1 - cut)) if e.options.get("from_logits") else cut
            found = int(pred > cut)
        else:
            found = pred
        classes = range(self.n)
        return (int(true), int(found)) if true in classes and found in classes else None

    def total(self, chosen: Callable[[int, int], bool]) -> Rough:
        """Sum of the cells of chosen true and predicted classes."""
        k = range(self.n)
        return summed([self.cells[i][j] for i in k for j in k if chosen(i, j)], self.acc)

    def classes(self) -> list[_Class]:
        """Each class against all others."""
        return [
            _Class(
                self.cells[k][k],
                self.total(lambda i, j, k=k: i != k and j == k),  # type: ignore[misc]
                self.total(lambda i, j, k=k: i == k and j != k),  # type: ignore[misc]
                self.total(lambda i, j, k=k: i != k and j != k),  # type: ignore[misc]
            )
            for k in range(self.n)
        ]


def _finished(e: Elements, x: Rough) -> Result:
    return x.value, float(x.error + e.u * abs(x.value)) if mp.isfinite(x.value) else 0.0


Ratio = Callable[[Elements, _Class], tuple[Rough, Rough]]


def _averaged(of_class: Ratio, **fixed: Any) -> Callable[[Elements], Result]:
    """A ratio of each class, and its average over classes."""

    def metric(e: Elements) -> Result:
        options = {"average": "binary", "zero_division": 0.0, **e.options, **fixed}
        average, otherwise = options["average"], mp.mpf(options["zero_division"])
        matrix = _Matrix(e)
        classes = matrix.classes()
        parts = [of_class(e, c) for c in classes]
        if average == "micro":
            parts = [(summed([a for a, _ in parts], e.acc), summed([b for _, b in parts], e.acc))]
        values = [a.over(b, otherwise) for a, b in parts]
        if matrix.invalid:
            return ([mp.nan] * matrix.n if average is None else mp.nan), 0.0
        if average is None:
            results = [_finished(e, v) for v in values]
            return [v for v, _ in results], [b for _, b in results]
        if average in ("micro", "binary"):
            return _finished(e, values[-1])
        one = Rough(mp.mpf(1), mp.mpf(0), e.acc)
        weights = [one if average == "macro" else c.tp.plus(c.fn) for c in classes]
        kept = [
            (v, w)
            for v, w, (_, whole) in zip(values, weights, parts, strict=True)
            if w.value != 0 and not (mp.isnan(otherwise) and whole.value == 0)
        ]
        top = summed([v.times(w) for v, w in kept], e.acc)
        return _finished(e, top.over(summed([w for _, w in kept], e.acc), otherwise))

    return metric


def _precision(e: Elements, c: _Class) -> tuple[Rough, Rough]:
    return c.tp, c.tp.plus(c.fp)


def _recall(e: Elements, c: _Class) -> tuple[Rough, Rough]:
    return c.tp, c.tp.plus(c.fn)


def _specificity(e: Elements, c: _Class) -> tuple[Rough, Rough]:
    return c.tn, c.tn.plus(c.fp)


def _f_beta(e: Elements, c: _Class) -> tuple[Rough, Rough]:
    square = mp.mpf(e.options.get("beta", 1)) ** 2
    top = c.tp.scaled(1 + square)
    return top, top.plus(c.fn.scaled(square)).plus(c.fp)


def _iou(e: Elements, c: _Class) -> tuple[Rough, Rough]:
    return c.tp, c.tp.plus(c.fn).plus(c.fp)


def _confusion_matrix(e: Elements) -> Result:
    matrix, k = _Matrix(e), range(int(e.options.get("num_classes", 2)))
    whole: dict[Any, Callable[[int, int], Rough]] = {
        "true": lambda i, j: summed([matrix.cells[i][b] for b in k], e.acc),
        "pred": lambda i, j: summed([matrix.cells[a][j] for a in k], e.acc),
        "all": lambda i, j: matrix.total(lambda a, b: True),
    }
    by = e.options.get("normalize")
    cells = matrix.cells
    if by is not None:
        cells = [[cells[i][j].over(whole[by](i, j), mp.mpf(0)) for j in k] for i in k]
    else:
        e = e._replace(u=mp.mpf(0))  # the result has the accumulator's dtype
    results = [[_finished(e, x) for x in row] for row in cells]
    return [[v for v, _ in row] for row in results], [[b for _, b in row] for row in results]


def _nan_if_invalid(value: Callable[[Elements, _Matrix], Rough]) -> Callable[[Elements], Result]:
    def metric(e: Elements) -> Result:
        matrix = _Matrix(e)
        return (mp.nan, 0.0) if matrix.invalid else _finished(e, value(e, matrix))

    return metric


def _matthews(e: Elements, m: _Matrix) -> Rough:
    classes = m.classes()
    total = m.total(lambda i, j: True)
    true = [c.tp.plus(c.fn) for c in classes]
    pred = [c.tp.plus(c.fp) for c in classes]

    def covariance(same: Rough, a: list[Rough], b: list[Rough]) -> Rough:
        chance = summed([x.times(y) for x, y in zip(a, b, strict=True)], e.acc)
        return same.times(total).minus(chance)

    together = covariance(summed([c.tp for c in classes], e.acc), true, pred)
    apart = covariance(total, true, true).times(covariance(total, pred, pred)).root()
    return together.over(apart, mp.mpf(0)).within(-1, 1)


def _kappa(e: Elements, m: _Matrix) -> Rough:
    power = {None: 0, "linear": 1, "quadratic": 2}[e.options.get("distance")]
    k = range(m.n)
    classes, total = m.classes(), m.total(lambda i, j: True)
    observed, expected = [], []
    for i in k:
        for j in k:
            if i != j:
                distance = mp.mpf(abs(i - j)) ** power
                both = classes[i].tp.plus(classes[i].fn).times(classes[j].tp.plus(classes[j].fp))
                observed.append(m.cells[i][j].scaled(distance))
                expected.append(both.over(total).scaled(distance))
    one = Rough(mp.mpf(1), mp.mpf(0), e.acc)
    return one.minus(summed(observed, e.acc).over(summed(expected, e.acc)))


COUNTS: dict[str, Callable[[Elements], Result]] = {
    "Accuracy": _averaged(_recall, average="micro", zero_division="nan"),
    "BalancedAccuracy": _averaged(_recall, average="macro", zero_division="nan"),
    "CohenKappa": _nan_if_invalid(_kappa),
    "ConfusionMatrix": _confusion_matrix,
    "Dice": _averaged(_f_beta),
    "F1": _averaged(_f_beta),
    "FBeta": _averaged(_f_beta),
    "IoU": _averaged(_iou),
    "MatthewsCorrelation": _nan_if_invalid(_matthews),
    "MeanIoU": _averaged(_iou, average="macro", zero_division="nan"),
    "Precision": _averaged(_precision),
    "Recall": _averaged(_recall),
    "Specificity": _averaged(_specificity),
}
