"""What every public name equals elsewhere: where a new one gets its entry."""

from ._peer import Peers
from ._peers_binned import BINNED
from ._peers_losses import LOSSES
from ._peers_metrics import COUNTS, EXTREMES, MOMENTS, SUMS
from ._peers_ranking import CURVES, RANKINGS, SEQUENCES
from ._peers_reductions import OBJECTIVE, OTHERS, REDUCTIONS
from ._peers_wrapping import WRAPPING

METRICS: dict[str, Peers] = {
    **SUMS,
    **MOMENTS,
    **EXTREMES,
    **COUNTS,
    **CURVES,
    **RANKINGS,
    **SEQUENCES,
    **BINNED,
    **WRAPPING,
}

PEERS: dict[str, Peers] = {
    **{f"losses.{name}": peers for name, peers in LOSSES.items()},
    **{f"metrics.{name}": peers for name, peers in METRICS.items()},
    **REDUCTIONS,
    **OTHERS,
}
"""By the name under `agnostic_mask`."""

__all__ = ["OBJECTIVE", "PEERS"]
