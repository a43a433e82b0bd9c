"""Flips: counted changes of correctness between two models.

An item is right when its prediction matches its reference; a flip is a change of correctness
between the old model and the new one; everything this package reports is a count of flips, or of
score changes, with its uncertainty.

==============  ==============  ==============
quadrant        new right       new wrong
==============  ==============  ==============
**old right**   both_right      negative
**old wrong**   positive        both_wrong
==============  ==============  ==============
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.flips.rates import AccuracyChange, Rate
from muscle_metrics.statistics.counts import check_count

if TYPE_CHECKING:
    from muscle_metrics.statistics.paired import Alternative, McNemar, McNemarMethod

__all__ = ["FlipCounts", "Quadrant"]


class Quadrant(StrEnum):
    """Correctness of an item before and after the update, named as its count in `FlipCounts`.

    Examples
    --------
    >>> Quadrant.NEGATIVE == "negative"
    True
    """

    BOTH_RIGHT = "both_right"
    POSITIVE = "positive"
    BOTH_WRONG = "both_wrong"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipCounts:
    """Numbers of items in the four quadrants; every rate of the flip family derives from them.

    Parameters
    ----------
    both_right, negative, positive, both_wrong : int
        Items right before and after, broken, fixed, and wrong before and after.
    both_right_changed, wrong_changed : int, optional
        How many of `both_right` and of `both_wrong` changed their answer. None where answers were
        not recorded: rates that need them are then undefined, never 0.

    Raises
    ------
    InputError
        If a count is negative, or more items changed than there are.

    Notes
    -----
    Counts add: ``a + b`` holds the items of both, exactly, so shards may be counted separately.

    Examples
    --------
    >>> counts = FlipCounts(both_right=4, negative=3, positive=1, both_wrong=2, wrong_changed=1)
    >>> print(counts.negative_flip_rate)
    30.00% (3 of 10)
    >>> (counts + counts).negative
    6
    """

    both_right: int
    negative: int
    positive: int
    both_wrong: int
    both_right_changed: int | None = None
    wrong_changed: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            count = getattr(self, field.name)
            if count is not None or field.default is MISSING:
                object.__setattr__(self, field.name, check_count(field.name, count))
        limits = {"both_right_changed": "both_right", "wrong_changed": "both_wrong"}
        for changed, most in limits.items():
            if (getattr(self, changed) or 0) > getattr(self, most):
                raise InputError(
                    f"expected {changed} to be at most {most}, "
                    f"got {getattr(self, changed)} of {getattr(self, most)}"
                )

    @property
    def total(self) -> int:
        """Number of items, N."""
        return self.both_right + self.negative + self.positive + self.both_wrong

    @property
    def old_right(self) -> int:
        """Number of items the old model got right."""
        return self.both_right + self.negative

    @property
    def new_right(self) -> int:
        """Number of items the new model got right."""
        return self.both_right + self.positive

    @property
    def old_wrong(self) -> int:
        """Number of items the old model got wrong."""
        return self.positive + self.both_wrong

    @property
    def new_wrong(self) -> int:
        """Number of items the new model got wrong."""
        return self.negative + self.both_wrong

    @property
    def old_accuracy(self) -> Rate:
        """Share of all items that the old model got right."""
        return Rate(self.old_right, self.total)

    @property
    def new_accuracy(self) -> Rate:
        """Share of all items that the new model got right."""
        return Rate(self.new_right, self.total)

    @property
    def accuracy_change(self) -> AccuracyChange:
        """New accuracy minus old accuracy, with paired intervals."""
        return AccuracyChange(
            both_right=self.both_right,
            negative=self.negative,
            positive=self.positive,
            both_wrong=self.both_wrong,
        )

    @property
    def negative_flip_rate(self) -> Rate:
        """Share of all items that were right and became wrong (NFR; Yan et al. 2021, eq. 2)."""
        return Rate(self.negative, self.total)

    @property
    def positive_flip_rate(self) -> Rate:
        """Share of all items that were wrong and became right (PFR)."""
        return Rate(self.positive, self.total)

    @property
    def flip_rate(self) -> Rate:
        """Share of all items whose correctness changed, either way (Dutta et al. 2024)."""
        return Rate(self.negative + self.positive, self.total)

    @property
    def inconsistency_flip_rate(self) -> Rate:
        """Share of all items now wrong with an answer that differs from the old one (NFR_mc).

        It includes every negative flip (Echterhoff et al. 2024, section 3.2).
        """
        return Rate(_sum(self.negative, self.wrong_changed), self.total)

    @property
    def wrong_to_different_wrong_rate(self) -> Rate:
        """Share of all items wrong before and after, with another answer."""
        return Rate(self.wrong_changed, self.total)

    @property
    def right_to_different_right_rate(self) -> Rate:
        """Share of all items right before and after, with another accepted answer."""
        return Rate(self.both_right_changed, self.total)

    @property
    def churn(self) -> Rate:
        """Share of all items whose answer changed (Milani Fard et al. 2016)."""
        changed = (self.both_right_changed, self.negative, self.positive, self.wrong_changed)
        return Rate(_sum(*changed), self.total)

    @property
    def conditional_negative_flip_rate(self) -> Rate:
        """Share of the items the old model got right that the new one breaks (1 - BTC)."""
        return Rate(self.negative, self.old_right)

    @property
    def fix_rate(self) -> Rate:
        """Share of the items the old model got wrong that the new one fixes."""
        return Rate(self.positive, self.old_wrong)

    @property
    def relative_negative_flip_rate(self) -> float:
        """NFR over the NFR of a new model that errs independently (Yan et al. 2021, eq. 11).

        0 means no negative flip, 1 as many as independent errors give; nan if those give none.
        """
        expected = self.old_right * self.new_wrong
        return self.negative * self.total / expected if expected else float("nan")

    @property
    def negative_flip_impact(self) -> Rate:
        """Share of the new model's errors that are negative flips (NFI; Cai et al. 2022)."""
        return Rate(self.negative, self.new_wrong)

    @property
    def positive_flip_impact(self) -> Rate:
        """Share of the new model's right answers that are positive flips (PFI)."""
        return Rate(self.positive, self.new_right)

    @property
    def backward_trust_compatibility(self) -> Rate:
        """Share of the items the old model got right that stay right (BTC; Srivastava 2020)."""
        return Rate(self.both_right, self.old_right)

    @property
    def backward_error_compatibility(self) -> Rate:
        """Share of the new model's errors that the old one made too (BEC; Srivastava 2020)."""
        return Rate(self.both_wrong, self.new_wrong)

    @property
    def backward_error_compatibility_of_old_errors(self) -> Rate:
        """Share of the old model's errors that remain: BEC as BackwardCompatibilityML divides."""
        return Rate(self.both_wrong, self.old_wrong)

    @property
    def avoidable_negative_flip_rate(self) -> Rate:
        """NFR above the least that this accuracy change forces: NFR - max(0, -change)."""
        return Rate(min(self.negative, self.positive), self.total)

    def rates(self) -> dict[str, float]:
        """Every rate of the flip family by name: a `Rate`, or a float for a ratio of rates.

        Returns
        -------
        dict of str to float
            In the order of the definitions; nan where undefined or unknown.

        Examples
        --------
        >>> FlipCounts(both_right=1, negative=1, positive=0, both_wrong=0).rates()["fix_rate"]
        Rate(0, 0)
        """
        return {name: getattr(self, name) for name in RATES}

    def mcnemar(
        self, method: McNemarMethod = "mid-p", alternative: Alternative = "two-sided"
    ) -> McNemar:
        """Test whether negative and positive flips are equally likely.

        It informs and never gates: many flips in both directions give p = 1.

        Parameters
        ----------
        method : {"mid-p", "exact", "asymptotic", "corrected"}
            How p is computed.
        alternative : {"two-sided", "regression"}
            "regression" asks only whether there are more negative flips than positive ones.

        Returns
        -------
        McNemar
            Statistic and p-value.

        Examples
        --------
        >>> FlipCounts(both_right=0, negative=1, positive=7, both_wrong=0).mcnemar().p_value
        0.0390625
        """
        # Imported on the call: `import muscle_metrics` must not pay for scipy.
        from muscle_metrics.statistics.paired import mcnemar

        return mcnemar(
            negative=self.negative, positive=self.positive, method=method, alternative=alternative
        )

    def __add__(self, other: FlipCounts) -> FlipCounts:
        if not isinstance(other, FlipCounts):
            return NotImplemented
        return FlipCounts(
            both_right=self.both_right + other.both_right,
            negative=self.negative + other.negative,
            positive=self.positive + other.positive,
            both_wrong=self.both_wrong + other.both_wrong,
            both_right_changed=_sum(self.both_right_changed, other.both_right_changed),
            wrong_changed=_sum(self.wrong_changed, other.wrong_changed),
        )

    def __radd__(self, start: int) -> FlipCounts:
        # sum() starts from 0.
        return self if start == 0 else NotImplemented


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
