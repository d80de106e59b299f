"""What came of one case under one law in one environment."""

from dataclasses import dataclass

PASSED, FAILED, NOT_APPLICABLE, KNOWN = "passed", "failed", "not applicable", "known deviation"


@dataclass(frozen=True)
class Row:
    """What came of one case under one law in one environment.

    Attributes
    ----------
    case, group, covers, law, backend, environment, dtype : str
        What ran, and where.
    outcome : {"passed", "failed", "not applicable", "known deviation"}
        A known deviation is a failure that a ledger expects.
    share : float or None
        Largest share of the bound that was filled, where there is one.
    ulps : float or None
        The distance that filled it, in units of the last place of the result's dtype.
    reason : str
        What failed, why the law does not apply, why the deviation is known, or what could not be
        checked although the law holds.
    link : str
        Where a known deviation is reported upstream.
    command : str
        What repeats a failure, and it alone.
    """

    case: str
    group: str
    covers: str
    law: str
    backend: str
    environment: str
    dtype: str
    outcome: str
    share: float | None = None
    ulps: float | None = None
    reason: str = ""
    link: str = ""
    command: str = ""
