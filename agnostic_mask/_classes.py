"""Which shape y_true has beside a y_pred with a class axis."""

from agnostic_mask._cover import Shape
from agnostic_mask._errors import ShapeMismatchError


def rows_of(name: str, y_true: Shape, y_pred: Shape, axis: int, dense: bool | None) -> Shape:
    """Shape of y_pred without its class axis, which is that of the scores.

    Parameters
    ----------
    name : str
        The function, for messages.
    y_true, y_pred : tuple of int
        Shapes.
    axis : int
        Position of the class axis in y_pred.
    dense : bool or None
        Whether y_true has that axis too; None if it may or may not.

    Raises
    ------
    ShapeMismatchError
        If y_true has another shape.
    """
    rows = y_pred[:axis] + y_pred[axis + 1 :]
    if y_true in ((y_pred,) if dense else (rows,) if dense is False else (y_pred, rows)):
        return rows
    if dense:
        expected = f"{y_pred} (a value a class)"
    elif dense is False:
        expected = f"{rows}, that of y_pred without its class axis {axis}"
    else:
        expected = f"{y_pred} (a value a class) or {rows} (a label), the class axis being {axis}"
    raise ShapeMismatchError(
        f"y_true has shape {y_true} and y_pred {y_pred}; {name} expects y_true of shape "
        f"{expected}{_hint(y_true, y_pred, rows, axis, dense)}"
    )


def _hint(y_true: Shape, y_pred: Shape, rows: Shape, axis: int, dense: bool | None) -> str:
    column = (*rows[:axis], 1, *rows[axis:])
    if dense:
        labels = y_true in (rows, column)
        of_labels = "sparse_categorical_crossentropy, SparseCategoricalAccuracy and their like"
        return f". A label a row is for {of_labels}" if labels else ""
    if y_true == column:
        return f". Drop the axis of length 1: xp.squeeze(y_true, axis={axis})"
    if y_true == y_pred:
        of_classes = "categorical_crossentropy, CategoricalAccuracy and their like"
        return f". A value a class is for {of_classes}"
    return ""
