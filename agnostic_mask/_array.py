"""The one name under which every signature of this package speaks of an array."""

from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An array of any library that follows the Python array API standard.

The standard defines a protocol of more than a hundred members and no class; static
checkers cannot express "the same library on both sides" with it, so the alias is `Any`
and the dispatcher checks at run time.
"""
