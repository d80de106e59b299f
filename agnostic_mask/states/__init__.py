"""States of metrics and objectives: packed into flat vectors, saved to files."""

from agnostic_mask._state import State
from agnostic_mask.states._file import load, save
from agnostic_mask.states._pack import pack, unpack

__all__ = ["State", "load", "pack", "save", "unpack"]
