"""muscle-metrics: what a model update broke, item by item, with its uncertainty.

An item is right when its prediction matches its reference; a flip is a change of rightness between
the old model and the new one; everything this package reports is a count of flips, or of score
changes, with its uncertainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics._version import __version__ as __version__
from muscle_metrics.comparison.methods import HOMES as _HOMES_OF_METHODS

if TYPE_CHECKING:
    # Type checkers read the names of the table below from their modules.
    from muscle_metrics.answers.flip_matrix import *
    from muscle_metrics.comparison.candidates import *
    from muscle_metrics.comparison.chains import *
    from muscle_metrics.comparison.compare import *
    from muscle_metrics.comparison.comparison import *
    from muscle_metrics.comparison.consistency import *
    from muscle_metrics.comparison.items import *
    from muscle_metrics.comparison.scoring import *
    from muscle_metrics.comparison.trajectories import *
    from muscle_metrics.errors import *
    from muscle_metrics.flips.changes import *
    from muscle_metrics.flips.counting import *
    from muscle_metrics.flips.counts import *
    from muscle_metrics.flips.magnitudes import *
    from muscle_metrics.flips.rates import *
    from muscle_metrics.gate.candidates import *
    from muscle_metrics.gate.check import *
    from muscle_metrics.gate.policy import *
    from muscle_metrics.gate.verdict import *
    from muscle_metrics.gate.waivers import *
    from muscle_metrics.labels.labelled import *
    from muscle_metrics.labels.plan import *
    from muscle_metrics.reports.html.page import *
    from muscle_metrics.runs.contents import *
    from muscle_metrics.runs.joining.pairing import *
    from muscle_metrics.runs.read import *
    from muscle_metrics.runs.readers.lm_eval import *
    from muscle_metrics.runs.record import *
    from muscle_metrics.scorers.table import *
    from muscle_metrics.slices.find import *
    from muscle_metrics.statistics.interval import *

# Public names by the module that defines them; each loads when it is first used (PEP 562).
_PUBLIC = {
    "answers.flip_matrix": (
        "FlipMatrix",
        "flip_matrix",
    ),
    "comparison.candidates": (
        "Candidates",
        "compare_candidates",
    ),
    "comparison.chains": (
        "Chain",
        "compare_chain",
        "count_chain",
    ),
    "comparison.compare": (
        "compare",
        "compare_runs",
    ),
    "comparison.comparison": ("Comparison",),
    "comparison.consistency": (
        "Consistency",
        "consistency",
    ),
    "comparison.items": ("Item",),
    "comparison.scoring": ("score_flips",),
    "comparison.trajectories": ("compare_trajectories",),
    "errors": (
        "FileError",
        "InputError",
        "MissingDependencyError",
        "MuscleMetricsError",
        "PairingError",
        "UsageError",
    ),
    "flips.changes": (
        "ScoreChanges",
        "measure_changes",
    ),
    "flips.counting": (
        "FlipLabels",
        "count_flips",
        "inconsistency_flip_rate",
        "label_flips",
        "negative_flip_rate",
        "positive_flip_rate",
        "tally_flips",
    ),
    "flips.counts": (
        "FlipCounts",
        "Quadrant",
    ),
    "flips.magnitudes": (
        "Magnitude",
        "MeanChange",
    ),
    "flips.rates": (
        "AccuracyChange",
        "Rate",
        "relative_change",
    ),
    "gate.candidates": (
        "CandidatesVerdict",
        "check_candidates",
    ),
    "gate.check": ("check_gate",),
    "gate.policy": (
        "Policy",
        "read_policy",
    ),
    "gate.verdict": (
        "Check",
        "Outcome",
        "Verdict",
    ),
    "gate.waivers": (
        "Waiver",
        "read_waivers",
    ),
    "labels.labelled": ("compare_labelled",),
    "labels.plan": ("plan_labels",),
    "reports.html.page": ("html_report",),
    "runs.contents": (
        "LogContents",
        "PartContents",
        "inspect_log",
    ),
    "runs.joining.pairing": ("pair_runs",),
    "runs.read": ("read_run",),
    "runs.readers.lm_eval": ("run_from_lm_eval",),
    "runs.record": (
        "Record",
        "Run",
    ),
    "scorers.table": (
        "SCORERS",
        "score",
    ),
    "slices.find": ("find_slices",),
    "statistics.interval": ("Interval",),
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names}

# Methods of a comparison that floors above it carry out.
_HOMES_OF_METHODS.update(
    gate="muscle_metrics.gate.check:check_gate",
    gate_candidates="muscle_metrics.gate.candidates:check_candidates",
    report="muscle_metrics.reports.write:write_report",
    report_candidates="muscle_metrics.reports.candidates:write_candidates",
)

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
