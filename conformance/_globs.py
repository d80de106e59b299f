"""Names by patterns: `*` is any text, `?` one character, and nothing else is special."""

import difflib
import functools
import re
from collections.abc import Iterable


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    # Not fnmatch: brackets belong to names of cases, as in "score[mean]".
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern fits the whole of a name; capitals are told from small letters."""
    return _expression(pattern).fullmatch(name) is not None


def nearest(name: str, known: Iterable[str]) -> str:
    """End of a sentence: whether another name was meant; a full stop alone if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."
