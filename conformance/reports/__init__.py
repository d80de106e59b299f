"""Reports of a run: for a terminal, as data, for a pull request, and two of them compared."""

from ._data import SCHEMA, ReportError, as_data, read, rows_of, write
from ._difference import Difference, difference
from ._markdown import markdown
from ._matrix import matrix

__all__ = [
    "SCHEMA",
    "Difference",
    "ReportError",
    "as_data",
    "difference",
    "markdown",
    "matrix",
    "read",
    "rows_of",
    "write",
]
