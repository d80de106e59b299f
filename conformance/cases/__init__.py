"""Cases: a public function and inputs for it, with what the oracle says of them."""

from .._case import VALUES, Case, CoveredCase, Host, PartsCase, spread
from ._curves import CurveCase, curve_cases
from ._groups import GroupedCase, GroupedPartsCase, grouped_cases
from ._makers import MakerCase, maker_cases
from ._metrics import MetricCase, metric_cases
from ._objectives import ObjectiveCase, objective_cases
from ._queries import QueryCase, query_cases
from ._reductions import ReductionCase, reduction_cases
from ._uncertainty import UncertaintyCase, uncertainty_cases


def all_cases() -> list[Case]:
    """Every case of the suite."""
    return [
        *objective_cases(),
        *metric_cases(),
        *curve_cases(),
        *query_cases(),
        *uncertainty_cases(),
        *reduction_cases(),
        *grouped_cases(),
        *maker_cases(),
    ]


NOT_NUMERIC = {
    "AgnosticMaskError": "an exception",
    "Array": "an alias for annotations",
    "AxisError": "an exception",
    "Backend": "the contract of backends, which every case goes through",
    "Bounded": "what binned metrics return",
    "CopyRequiredError": "an exception",
    "Dispatch": "what dispatch returns",
    "FusionWarning": "a warning",
    "Interval": "what intervals return",
    "Metric": "the base of all metrics",
    "MetricSet": "runs metrics together; tested to give each one's own bits",
    "MixedDevicesError": "an exception",
    "MixedFrameworksError": "an exception",
    "Objective": "what weighted_masked_objective returns",
    "OperatingPoint": "what metrics of operating points return",
    "PrecisionRecallCurve": "what BinnedPrecisionRecallCurve returns",
    "Probe": "what available_backends returns",
    "ROCCurve": "what BinnedROCCurve returns",
    "Reliability": "what ReliabilityCurve returns",
    "Running": "keeps the state of a metric; tested to give its bits",
    "ShapeMismatchError": "an exception",
    "StateFileError": "an exception",
    "StateMismatchError": "an exception",
    "Tally": "the state of an objective, which the law of cuts goes through",
    "UnsupportedArrayError": "an exception",
    "agnostic": "computes nothing; every case goes through the dispatcher behind it",
    "available_backends": "computes nothing; the suite finds its environments by it",
    "convert": "moves elements and computes nothing; tested bit by bit for every pair of backends",
    "dispatch": "computes nothing; every case goes through the dispatcher behind it",
    "losses": "a module; each of its functions has cases",
    "metrics": "a module; each of its metrics has cases",
    "scores": "computes nothing; every loss is declared by it",
    "states": "a module that moves elements; tested bit by bit for states of every kind",
}
"""Public names that have no case, and why not."""

__all__ = [
    "NOT_NUMERIC",
    "VALUES",
    "Case",
    "CoveredCase",
    "CurveCase",
    "GroupedCase",
    "GroupedPartsCase",
    "Host",
    "MakerCase",
    "MetricCase",
    "ObjectiveCase",
    "PartsCase",
    "QueryCase",
    "ReductionCase",
    "UncertaintyCase",
    "all_cases",
    "spread",
]
