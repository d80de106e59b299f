"""How an equivalence is written."""

from collections.abc import Mapping

Peers = Mapping[str, str] | str
"""What a public name equals: dotted name of each peer -> what differs, "" for nothing that the page
does not say of all; or, in words, why it has none."""
