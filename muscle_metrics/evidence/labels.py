"""Evidence from labels of a sample: what people said of some items bounds the rates of all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from muscle_metrics.evidence.evidence import Bounds, Evidence
from muscle_metrics.statistics.assisted import AssistedMean, Cell
from muscle_metrics.statistics.strata import Stratum, stratified_mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.statistics.interval import Side

__all__ = ["LabelEvent", "LabelSample", "Outcomes", "label_evidence"]

LabelEvent = Literal["negative", "positive", "inconsistent", "loss", "right before"]
# Labels of an item that count 1, by event; of a loss, those that count -1 too.
COUNTED: dict[LabelEvent, tuple[str, ...]] = {
    "negative": ("negative",),
    "positive": ("positive",),
    "inconsistent": ("negative", "both_wrong"),
    "loss": ("negative",),
    "right before": ("negative", "both_right"),
}


# With fewer labels one of them would move the model of a judge by more than its own weight.
LEAST_LABELS, LEAST_OF_STRATUM = 30, 5


# The laws behind the bounds take time, and a gate asks for them of equal samples.
_assisted_mean = lru_cache(maxsize=64)(AssistedMean)


class Outcomes(NamedTuple):
    """Items of one stratum, and what was said of those that were drawn.

    Parameters
    ----------
    size : int
        Number of all items.
    negative, positive, both_right, both_wrong : int
        Labelled items, by quadrant.
    unlabelled : int
        Items that were drawn, and of which nobody said anything.

    Examples
    --------
    >>> Outcomes(500, negative=3, both_right=90, unlabelled=7).labelled
    93
    """

    size: int
    negative: int = 0
    positive: int = 0
    both_right: int = 0
    both_wrong: int = 0
    unlabelled: int = 0

    @property
    def labelled(self) -> int:
        """Number of labelled items."""
        return self.negative + self.positive + self.both_right + self.both_wrong


@dataclass(frozen=True, slots=True)
class LabelSample:
    """Labels of a sample of the items whose answers differ.

    Parameters
    ----------
    strata : tuple of Outcomes
        Items whose answers differ.
    equal : Outcomes
        Items whose answers are equal: they cannot flip. The few that were drawn say whether
        anything could break.
    lost : int
        Items that the new run lost, which count as broken.
    is_worst : bool
        Whether a drawn item without a label counts as broken; else as the best that it can be.
    cells : tuple of (int, Outcomes)
        The strata once more, each divided by what a judge says of both answers, with the number of
        the stratum. Without a judge there are none.

    Examples
    --------
    >>> sample = LabelSample((Outcomes(800, negative=6, both_right=194),), Outcomes(1200))
    >>> print(label_evidence(sample, "negative").interval(0.95, "two-sided").ends)
    [0.0044, 0.0262]
    """

    strata: tuple[Outcomes, ...]
    equal: Outcomes
    lost: int = 0
    is_worst: bool = False
    cells: tuple[tuple[int, Outcomes], ...] = ()

    @property
    def total(self) -> int:
        """Number of all items."""
        return self.differing + self.equal.size + self.lost

    @property
    def differing(self) -> int:
        """Number of items whose answers differ."""
        return sum(one.size for one in self.strata)

    @property
    def labels(self) -> int:
        """Number of labelled items, without those of equal answers."""
        return sum(one.labelled for one in self.strata)

    @property
    def unlabelled(self) -> int:
        """Number of drawn items without a label, without those of equal answers."""
        return sum(one.unlabelled for one in self.strata)

    def count(self, quadrant: str) -> int:
        """Labelled items that differ and are in a quadrant."""
        return sum(getattr(one, quadrant) for one in self.strata)

    def bounded(self, event: LabelEvent) -> list[Stratum]:
        """Strata of an event, as its bounds count them."""
        strata = [_bounded(one, event, is_worst=self.is_worst) for one in self.strata]
        if self.lost:
            is_hit = event != "right before"
            strata.append(Stratum(self.lost, **{"lost" if is_hit else "kept": self.lost}))
        if event != "right before":
            return [*strata, Stratum(self.equal.size, kept=self.equal.size)]
        checked = self.equal.both_right
        others = self.equal.both_wrong + self.equal.unlabelled
        return [*strata, Stratum(self.equal.size, lost=checked, kept=others)]

    def each(self, change: Callable[[Outcomes], Outcomes]) -> LabelSample:
        """Sample with changed outcomes, in its strata and in their cells."""
        cells = tuple((stratum, change(one)) for stratum, one in self.cells)
        return replace(self, strata=tuple(map(change, self.strata)), cells=cells)

    def assisted(self, event: LabelEvent) -> AssistedMean | None:
        """Mean that a judge's verdicts on all items narrow; None where labels alone decide.

        The rule does not look at the labels: wherever verdicts are there, some items that differ
        have no label, and enough of them have one.
        """
        drawn = [one.labelled + one.unlabelled for one in self.strata]
        sizes = [one.size for one in self.strata]
        is_enough = sum(drawn) >= LEAST_LABELS and all(
            number >= min(size, LEAST_OF_STRATUM) for number, size in zip(drawn, sizes, strict=True)
        )
        if event == "right before" or not self.cells or drawn == sizes or not is_enough:
            return None
        cells = (
            Cell(stratum, *_bounded(one, event, is_worst=self.is_worst))
            for stratum, one in self.cells
            if one.size
        )
        low = -1.0 if event == "loss" else 0.0
        return _assisted_mean(tuple(cells), kept=self.equal.size, lost=self.lost, low=low)

    def estimate(self, event: LabelEvent) -> float:
        """Share of all items, each label counting for its share of a stratum; nan without any."""
        parts = self.each(lambda one: one._replace(unlabelled=0))
        if assisted := parts.assisted(event):
            return assisted.estimate
        found = [one for one in parts.bounded(event) if one.size]
        return math.fsum(one.size * one.mean for one in found) / self.total


def label_evidence(sample: LabelSample, event: LabelEvent) -> Evidence:
    """Evidence about the share of all items that an event befalls, or about the accuracy lost.

    Parameters
    ----------
    sample : LabelSample
        Labels of a random sample of each stratum.
    event : str
        "negative", "positive", "inconsistent", "loss" or "right before".
    """
    strata, low = sample.bounded(event), -1.0 if event == "loss" else 0.0
    method = "stratified Gaffke" if event == "loss" else "stratified Clopper-Pearson"
    assisted = sample.assisted(event)

    def interval(confidence: float, side: Side) -> Bounds:
        if assisted is not None:
            return Bounds.by("judge-corrected Gaffke", assisted.interval(confidence, side))
        found = stratified_mean_interval(strata, low=low, confidence=confidence, side=side)
        return Bounds.by(method, found)

    def special(limit: float, confidence: float) -> str | None:
        return _advice(sample, event, limit, confidence)

    return Evidence(
        estimate=sample.estimate(event),
        sample=_sample_text(sample, event),
        interval=cache(interval),
        # A certain FAIL must be heard, also where too few labels are there for a PASS.
        best=lambda confidence: low,
        units=sample.labels,
        unit="labels",
        special=special,
        unlabelled=sample.unlabelled,
    )


def _bounded(one: Outcomes, event: LabelEvent, *, is_worst: bool) -> Stratum:
    hits = sum(getattr(one, name) for name in COUNTED[event])
    gains = one.positive if event == "loss" else 0
    others = one.labelled - hits - gains
    if event == "right before":
        # An item without a label does not show that anything could break.
        others += one.unlabelled
    elif is_worst:
        hits += one.unlabelled
    elif event == "loss":
        gains += one.unlabelled
    else:
        others += one.unlabelled
    return Stratum(one.size, hits, gains, others)


def _sample_text(sample: LabelSample, event: LabelEvent) -> str:
    broken, fixed = sample.count("negative"), sample.count("positive")
    found = f"{broken} broken" if event == "negative" else f"{broken} broken, {fixed} fixed"
    if event == "inconsistent":
        found = f"{broken} broken, {sample.count('both_wrong')} wrong in another way"
    if event == "right before":
        right = broken + sample.count("both_right") + sample.equal.both_right
        return f"{right} of {sample.labels + sample.equal.labelled} labelled items, right before,"
    empty = f", {sample.unlabelled} rows without a label" if sample.unlabelled else ""
    return (
        f"{found}, of {sample.labels} labels of the {sample.differing} items that differ, of "
        f"{sample.total}{empty}"
    )


def _advice(sample: LabelSample, event: LabelEvent, limit: float, confidence: float) -> str | None:
    """Advice that the usual number of labels cannot give; None where it can."""
    estimate = sample.estimate(event)
    if math.isnan(estimate):
        return "a stratum has no label yet: label more rows"
    if estimate < limit:
        best = label_evidence(sample.each(_unbroken), event).upper(confidence)
        if best > limit:
            return (
                f"even with nothing broken {sample.labels} labels are too few to pass: add labels "
                f"with 'muscle-metrics label --extend'"
            )
    complete = label_evidence(replace(sample.each(_complete), cells=()), event)
    if complete.lower(confidence) <= limit < complete.upper(confidence):
        return "at this rate not even labels of all items that differ would decide: add items"
    return None


def _unbroken(one: Outcomes) -> Outcomes:
    return one._replace(negative=0, both_right=one.both_right + one.negative)


def _complete(one: Outcomes) -> Outcomes:
    """Outcomes if all items of a stratum were labelled, at the rates so far."""
    if not one.labelled:
        return one
    factor = one.size / one.labelled
    counts = [round(factor * count) for count in (one.negative, one.positive, one.both_wrong)]
    negative, positive, wrong = counts
    right = max(one.size - sum(counts), 0)
    whole = negative + positive + wrong + right
    return Outcomes(whole, negative, positive, right, wrong)
