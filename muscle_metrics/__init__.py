"""muscle-metrics: what a model update broke, item by item, with its uncertainty.

An item is right when its prediction matches its reference; a flip is a change of rightness between
the old model and the new one; everything this package reports is a count of flips, or of score
changes, with its uncertainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muscle_metrics.chains import Chain, compare_chain, count_chain
    from muscle_metrics.changes import ScoreChanges, measure_changes
    from muscle_metrics.comparing import compare, compare_runs
    from muscle_metrics.comparison import Comparison
    from muscle_metrics.counting import (
        FlipLabels,
        count_flips,
        inconsistency_flip_rate,
        label_flips,
        negative_flip_rate,
        positive_flip_rate,
        tally_flips,
    )
    from muscle_metrics.errors import (
        FileError,
        InputError,
        MissingDependencyError,
        MuscleMetricsError,
        PairingError,
        UsageError,
    )
    from muscle_metrics.flips import FlipCounts, Quadrant
    from muscle_metrics.gate import Check, Outcome, Verdict, check_gate
    from muscle_metrics.items import Item
    from muscle_metrics.likeness import Consistency, consistency
    from muscle_metrics.magnitudes import Magnitude, MeanChange
    from muscle_metrics.policy import Policy, read_policy
    from muscle_metrics.rates import AccuracyChange, Rate, relative_change
    from muscle_metrics.reports.html.page import html_report
    from muscle_metrics.runs import Record, Run, pair_runs, read_run
    from muscle_metrics.runs.contents import LogContents, PartContents, inspect_log
    from muscle_metrics.runs.readers.lm_eval import run_from_lm_eval
    from muscle_metrics.scorers import SCORERS, score
    from muscle_metrics.scoring import score_flips
    from muscle_metrics.statistics.interval import Interval
    from muscle_metrics.turns import FlipMatrix, flip_matrix

__version__ = "0.1.0"

# Where each public name lives; it is imported when it is first asked for (PEP 562).
_HOMES = {
    "AccuracyChange": "rates",
    "Chain": "chains",
    "Check": "gate",
    "Comparison": "comparison",
    "Consistency": "likeness",
    "FileError": "errors",
    "FlipCounts": "flips",
    "FlipLabels": "counting",
    "FlipMatrix": "turns",
    "InputError": "errors",
    "Interval": "statistics.interval",
    "Item": "items",
    "LogContents": "runs.contents",
    "Magnitude": "magnitudes",
    "MeanChange": "magnitudes",
    "MissingDependencyError": "errors",
    "MuscleMetricsError": "errors",
    "Outcome": "gate",
    "PairingError": "errors",
    "PartContents": "runs.contents",
    "Policy": "policy",
    "Quadrant": "flips",
    "Rate": "rates",
    "Record": "runs",
    "Run": "runs",
    "SCORERS": "scorers",
    "ScoreChanges": "changes",
    "UsageError": "errors",
    "Verdict": "gate",
    "check_gate": "gate",
    "compare": "comparing",
    "compare_chain": "chains",
    "compare_runs": "comparing",
    "consistency": "likeness",
    "count_chain": "chains",
    "count_flips": "counting",
    "flip_matrix": "turns",
    "html_report": "reports.html.page",
    "inconsistency_flip_rate": "counting",
    "inspect_log": "runs.contents",
    "label_flips": "counting",
    "measure_changes": "changes",
    "negative_flip_rate": "counting",
    "pair_runs": "runs",
    "positive_flip_rate": "counting",
    "read_policy": "policy",
    "read_run": "runs",
    "relative_change": "rates",
    "run_from_lm_eval": "runs.readers.lm_eval",
    "score": "scorers",
    "score_flips": "scoring",
    "tally_flips": "counting",
}

__all__ = [
    "SCORERS",
    "AccuracyChange",
    "Chain",
    "Check",
    "Comparison",
    "Consistency",
    "FileError",
    "FlipCounts",
    "FlipLabels",
    "FlipMatrix",
    "InputError",
    "Interval",
    "Item",
    "LogContents",
    "Magnitude",
    "MeanChange",
    "MissingDependencyError",
    "MuscleMetricsError",
    "Outcome",
    "PairingError",
    "PartContents",
    "Policy",
    "Quadrant",
    "Rate",
    "Record",
    "Run",
    "ScoreChanges",
    "UsageError",
    "Verdict",
    "check_gate",
    "compare",
    "compare_chain",
    "compare_runs",
    "consistency",
    "count_chain",
    "count_flips",
    "flip_matrix",
    "html_report",
    "inconsistency_flip_rate",
    "inspect_log",
    "label_flips",
    "measure_changes",
    "negative_flip_rate",
    "pair_runs",
    "positive_flip_rate",
    "read_policy",
    "read_run",
    "relative_change",
    "run_from_lm_eval",
    "score",
    "score_flips",
    "tally_flips",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
