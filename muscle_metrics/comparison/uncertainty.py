"""Which evidence fits a figure of a comparison: the gate decides by it, and every report shows it.

Independent items have the intervals of `Rate` and of `AccuracyChange`. Rows that depend on each
other, because they share a group or a prompt, have the bounds over these units by which the gate
decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from muscle_metrics.errors import check_choice
from muscle_metrics.evidence.evidence import Bounds, Evidence, nothing_observed
from muscle_metrics.evidence.labels import label_evidence
from muscle_metrics.evidence.rates import (
    accuracy_loss,
    accuracy_shift,
    clustered_loss,
    conditional_rate,
    rate,
)
from muscle_metrics.evidence.repeats import noise_evidence, noise_of_rows, repeated_rate
from muscle_metrics.evidence.samples import name_bound
from muscle_metrics.evidence.scores import mean_regression
from muscle_metrics.evidence.units import Cells, Part, Units
from muscle_metrics.flips.magnitudes import Magnitude
from muscle_metrics.flips.rate_table import RATES, WHOLES
from muscle_metrics.flips.rates import AccuracyChange, Rate
from muscle_metrics.statistics.clusters import clustered_mean
from muscle_metrics.statistics.interval import Interval

if TYPE_CHECKING:
    import numpy.typing as npt

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.labels import LabelEvent
    from muscle_metrics.evidence.prompts import PromptCounts
    from muscle_metrics.evidence.units import Event
    from muscle_metrics.flips.changes import ScoreChanges, ScoreFacts
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.flips.magnitudes import Mean
    from muscle_metrics.statistics.noise import DecodingNoise

__all__ = [
    "cell_bounds",
    "counts_of_part",
    "decoding_noise",
    "event_evidence",
    "flip_evidence",
    "loss_evidence",
    "rate_bounds",
    "score_bounds",
    "share_evidence",
    "shift_evidence",
]

CONFIDENCE = 0.95
# As `Mean.method` calls them, and as reports write them.
METHODS = {"gaffke": "Gaffke", "student": "Student"}


def event_evidence(
    comparison: Facts, event: Event, part: Part | None = None, *, strict: bool = False
) -> Evidence:
    """Evidence about the share of all items, or of one part, that an event befalls."""
    if comparison.sample is not None:
        # A policy for labels has no parts and no scores: `gate.criteria` refuses them.
        return label_evidence(comparison.sample, cast("LabelEvent", event))
    return rate(comparison.units(event, part), strict=strict)


def share_evidence(
    comparison: Facts,
    event: Event,
    whole: Event = "right before",
    part: Part | None = None,
    *,
    strict: bool = False,
) -> Evidence:
    """Evidence about the share of some items, by default those old got right."""
    found, among = comparison.units(event, part), comparison.units(whole, part)
    return conditional_rate(found, among, strict=strict)


def loss_evidence(comparison: Facts, part: Part | None = None, *, strict: bool = False) -> Evidence:
    """Evidence about old accuracy minus new accuracy."""
    if comparison.sample is not None:
        return label_evidence(comparison.sample, "loss")
    if not comparison.is_clustered:
        return accuracy_loss(counts_of_part(comparison, part))
    return clustered_loss(comparison.units("loss", part), strict=strict)


def shift_evidence(comparison: Facts, *, gained: bool, strict: bool = False) -> Evidence:
    """Evidence about the accuracy lost, or gained, by bounds that hold in small samples too."""
    if not comparison.is_clustered:
        return accuracy_shift(comparison.counts, gained=gained)
    units = comparison.units("loss")
    signed = units._replace(sums=-units.sums) if gained else units
    return clustered_loss(signed, strict=strict)


def flip_evidence(
    comparison: Facts,
    event: Event,
    part: Part | None = None,
    *,
    strict: bool = False,
    noise_adjusted_pass: bool = False,
) -> Evidence:
    """Evidence about the negative flip rate; of repeats, apart from their decoding noise.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    event : Event
        What a negative flip is: "negative", or a regression of a graded score.
    part : Part, optional
        One task or slice.
    strict : bool
        Whether only a finite-sample bound over groups can keep a limit.
    noise_adjusted_pass : bool
        Whether the upper bound is that of the regression beyond noise.
    """
    if part is not None and part.name not in comparison.part_names(part.kind):
        # The new run lost the whole part.
        return nothing_observed()
    items = comparison.in_memory
    if items is not None and (counts := _counts_of_rates(items, part)) is not None:
        return noise_evidence(
            counts.noise(),
            counts.groups,
            counts.total,
            noise_adjusted_pass=noise_adjusted_pass,
            strict=strict,
        )
    if items is None or items.correctness is None or not items.is_repeated:
        return event_evidence(comparison, event, part, strict=strict)
    rows, table = items.rows(part), items.table
    return repeated_rate(
        items.correctness.take(rows),
        table.prompt_numbers[rows],
        table.unit_numbers[rows] if table.unit == "groups" else None,
        noise_adjusted_pass=noise_adjusted_pass,
        strict=strict,
    )


def decoding_noise(comparison: Facts, part: Part | None = None) -> DecodingNoise | None:
    """Split the flip rate of repeats; None where a prompt was answered once, or an engine counts.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    part : Part, optional
        One task or slice.
    """
    items = comparison.in_memory
    if items is not None and (counts := _counts_of_rates(items, part)) is not None:
        return counts.noise()
    if items is None or items.correctness is None or not items.is_repeated:
        return None
    rows, table = items.rows(part), items.table
    prompts = table.prompt_numbers[rows]
    numbers, sizes = np.unique(prompts, return_inverse=True, return_counts=True)[1:]
    if sizes.min() < 2:
        return None
    groups = table.unit_numbers[rows] if table.unit == "groups" else None
    return noise_of_rows(items.correctness.take(rows), numbers, groups)[0]


def _counts_of_rates(items: Comparison, part: Part | None) -> PromptCounts | None:
    """Count right generations of the items of a part, where scores are shares of generations."""
    if items.prompts is None or not items.prompts.of_rates:
        return None
    return items.prompts.counts.take(items.rows(part))


def rate_bounds(
    comparison: Facts, name: str, part: Part | None = None, *, confidence: float = CONFIDENCE
) -> Bounds | None:
    """Two-sided interval of a rate, by the method that fits how rows depend on each other.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    name : str
        Name of a rate of `FlipCounts`.
    part : Part, optional
        One task or slice.
    confidence : float
        Level in (0, 1).

    Returns
    -------
    Bounds or None
        None where the rate is unknown or undefined, where it is no share of items, and where an
        engine did not count the units that rows depend on.

    Raises
    ------
    UsageError
        If there is no such rate.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> runs = {"old": ["A"] * 99, "new": ["A"] * 90 + ["B"] * 9, "references": ["A"] * 99}
    >>> rate_bounds(compare(**runs), "negative_flip_rate").method
    'Wilson'
    >>> groups = [str(row // 3) for row in range(99)]
    >>> rate_bounds(compare(**runs, groups=groups), "negative_flip_rate").method
    'Gaffke and approximate'
    """
    check_choice("a rate", name, RATES)
    measure, value = RATES[name], getattr(counts_of_part(comparison, part), name)
    if math.isnan(value):
        return None
    if not comparison.is_clustered:
        return _independent(value, confidence)
    if not comparison.knows_units:
        return None
    if name == "accuracy_change":
        low, high, below, above = loss_evidence(comparison, part).interval(confidence, "two-sided")
        return Bounds(-high, -low, above, below)
    if not measure.counted:
        return None
    found, whole = Cells(measure.counted), Cells(WHOLES[measure.of])
    return share_evidence(comparison, found, whole, part).interval(confidence, "two-sided")


def cell_bounds(
    comparison: Facts, quadrant: str, *, confidence: float = CONFIDENCE
) -> Bounds | None:
    """Two-sided interval of the share of all items in a quadrant, as `rate_bounds` gives it."""
    if not comparison.is_clustered:
        share = Rate(getattr(comparison.counts, quadrant), comparison.total)
        return _independent(share, confidence)
    if not comparison.knows_units:
        return None
    found = event_evidence(comparison, Cells((quadrant,)))
    return found.interval(confidence, "two-sided")


def score_bounds(
    comparison: Facts, metric: str, name: str, *, confidence: float = CONFIDENCE
) -> Bounds | None:
    """Two-sided interval of a rate or a mean of a graded score, as `rate_bounds` gives it.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    metric : str
        Name of the score.
    name : str
        Name of a rate or a mean of `ScoreChanges`.
    confidence : float
        Level in (0, 1).
    """
    changes = comparison.changes[metric]
    if not comparison.is_clustered:
        return _independent_score(changes, name, confidence)
    items = comparison.in_memory
    if items is None:
        return None
    return _dependent_score(items, items.changes[metric], name, confidence)


def counts_of_part(comparison: Facts, part: Part | None) -> FlipCounts:
    """Count all items, or those of one part."""
    if part is None:
        return comparison.counts
    return (comparison.slices if part.kind == "slice" else comparison.tasks)[part.name]


def _independent(value: float, confidence: float) -> Bounds | None:
    if isinstance(value, Rate):
        return Bounds.by("Wilson", value.interval(confidence))
    if isinstance(value, AccuracyChange):
        return Bounds.by("Tango", value.interval(confidence))
    return None


def _independent_score(changes: ScoreFacts, name: str, confidence: float) -> Bounds | None:
    value = getattr(changes, name)
    if math.isnan(value):
        return None
    if not name.startswith("mean"):
        return _independent(value, confidence)
    mean: Mean = value
    interval = mean.interval(confidence)
    is_known = all(map(math.isfinite, interval)) and (name == "mean_change" or not mean.too_few)
    return Bounds.by(METHODS[mean.method], interval) if is_known else None


def _dependent_score(
    items: Comparison, changes: ScoreChanges, name: str, confidence: float
) -> Bounds | None:
    numbers, unit, span = items.table.unit_numbers, items.table.unit, changes.high - changes.low
    gains, band = changes.gains, changes.dead_band
    flags = {
        "negative_flip_rate": gains < -band,
        "positive_flip_rate": gains > band,
        "tie_rate": np.abs(changes.deltas) <= changes.tie,
        "mean_gain": gains > band,
        "mean_regression": gains < -band,
    }
    if not name.startswith("mean"):
        units = Units.of(flags[name], numbers, unit)
        return rate(units).interval(confidence, "two-sided")
    if not math.isfinite(span):
        return None
    if name == "mean_change":
        return _mean_change(changes.deltas, numbers, span, confidence)
    rows = np.flatnonzero(flags[name])
    size = mean_regression(Magnitude(np.abs(gains[rows]), limit=span), numbers[rows], unit)
    bounds = size.interval(confidence, "two-sided")
    return bounds if bounds.method else None


def _mean_change(
    deltas: npt.NDArray[np.float64], numbers: npt.NDArray[np.intp], span: float, confidence: float
) -> Bounds:
    totals, sizes = np.bincount(numbers, weights=deltas), np.bincount(numbers)
    found = clustered_mean(totals=totals, sizes=sizes, low=-span, high=span, confidence=confidence)
    return Bounds(*Interval(*found.interval), "approximate", name_bound(found.upper_method))
