"""What authors of other libraries write: cases of their own functions."""

from ._calling import versions
from ._case import CaseError, FunctionCase
from ._inputs import Input, floats, integers, masks, weights
from ._laws import accumulates_wide, covers_leading_axes
from ._make import BASIC, case
from ._report import Report, report
from ._right import OracleError
from ._search import check

__all__ = [
    "BASIC",
    "CaseError",
    "FunctionCase",
    "Input",
    "OracleError",
    "Report",
    "accumulates_wide",
    "case",
    "check",
    "covers_leading_axes",
    "floats",
    "integers",
    "masks",
    "report",
    "versions",
    "weights",
]
