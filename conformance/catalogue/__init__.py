"""The page of all that is public: its formula, its arguments, and what it equals elsewhere."""

from ._entries import CatalogueError, entries, public
from ._page import COMMAND, page
from ._peers import OBJECTIVE, PEERS

__all__ = ["COMMAND", "OBJECTIVE", "PEERS", "CatalogueError", "entries", "page", "public"]
