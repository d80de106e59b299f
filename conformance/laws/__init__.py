"""Laws: properties that hold for a case in every environment, for every float type.

Each law is a function of a `Run` that returns the share of the bound that was filled, or None
where bits were compared, and raises `ViolationError` if the property does not hold.
"""

from . import _exclusion, _framework, _gradients, _values
from ._law import LAWS, Law, Run, ViolationError
from ._values import agreement

__all__ = ["LAWS", "Law", "Run", "ViolationError", "agreement"]

_ = (_exclusion, _framework, _gradients, _values)
