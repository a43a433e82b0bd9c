"""One criterion of a gate: a limit, and the evidence about it with and without lost items."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.evidence.evidence import Bounds, with_decoding_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.evidence.evidence import Evidence
    from muscle_metrics.gate.limits import Limit

__all__ = ["Criterion", "Views", "exact", "noisy"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One limit and the evidence about it.

    Parameters
    ----------
    name : str
        Name of the limited rate or mean.
    limit : Fraction
        Largest value that the policy allows.
    observed : Evidence
        Of the compared items; its lower bound can break the limit.
    worst : Evidence
        Of the same items and every lost one at its worst; its upper bound can keep the limit.
    breakable : Evidence, optional
        What there would be if every item broke that can break; None where every item can.
    is_share : bool
        Whether values are shares, to be shown in percent.
    is_mutual : bool
        Whether a change in either direction counts, as for equivalence.
    """

    name: str
    limit: Fraction
    observed: Evidence
    worst: Evidence
    breakable: Evidence | None = None
    is_share: bool = True
    is_mutual: bool = False

    def bounds(self, confidence: float) -> Bounds:
        """Lower bound of what was observed, and upper bound of the worst case."""
        low = self.observed.interval(confidence, "lower")
        high = self.worst.interval(confidence, "upper")
        return Bounds(low.low, high.high, low.below, high.above)

    def is_broken_at(self, alpha: float) -> bool:
        """Whether the lower bound exceeds the limit when it may err with probability `alpha`."""
        return Fraction(self.observed.lower(1 - alpha)) > self.limit

    def would_be_broken_at(self, alpha: float) -> bool:
        """Whether the lower bound would exceed the limit with every lost item at its worst."""
        return Fraction(self.worst.lower(1 - alpha)) > self.limit

    def can_fail(self, confidence: float) -> bool:
        """Whether the limit would be exceeded if every item broke that can break."""
        most = self.breakable
        return most is None or Fraction(most.lower(confidence)) > self.limit


class Views(NamedTuple):
    """The compared items, and the same with every lost item as broken."""

    observed: Facts
    worst: Facts

    def judge(
        self,
        name: str,
        limit: Limit | None,
        evidence: Callable[[Facts], Evidence],
        breakable: Callable[[Facts], Evidence | None] | None = None,
        *,
        lost: Facts | None = None,
        is_share: bool = True,
        is_mutual: bool = False,
    ) -> Criterion:
        """Make a criterion from the evidence of both views; `lost` replaces the worst one."""
        share = float(exact(limit))
        observed = evidence(self.observed).at(share)
        worst = self.worst if lost is None else lost
        return Criterion(
            name,
            exact(limit),
            observed=observed,
            worst=observed if worst is self.observed else evidence(worst).at(share),
            breakable=None if breakable is None else breakable(self.worst),
            is_share=is_share,
            is_mutual=is_mutual,
        )


def noisy(comparison: Facts, evidence: Evidence) -> Evidence:
    """Evidence of repeats can keep a limit, but never break it: their noise is part of it."""
    return with_decoding_noise(evidence) if comparison.is_repeated else evidence


def exact(limit: Limit | None) -> Fraction:
    """Limit as an exact fraction of the decimal digits that a person wrote."""
    return Fraction(str(limit))
