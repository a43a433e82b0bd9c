"""Scores that are the share of right ones among k generations of an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.comparison.metrics import Recorded
from muscle_metrics.comparison.unanswered import UNBOUNDED
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.metrics import Chosen

    Rates = npt.NDArray[np.float64]

__all__ = ["check_pass_rates", "check_samples", "range_of_rates", "right_of_rates"]

# With more, any score of a few digits would be a share of so many.
MOST = 1000
# Half of the last digit where a rate is stored with four decimals.
_ROUNDING = 5e-5


def check_samples(
    samples: int | None,
    chosen: Sequence[Chosen],
    *,
    threshold: float | None,
    score_range: tuple[float, float],
) -> None:
    """Refuse a number of generations beside anything but one recorded score.

    Raises
    ------
    UsageError
        Also if the number is no whole number from 2 to `MOST`.
    """
    if samples is None:
        return
    if isinstance(samples, bool) or not isinstance(samples, int) or not 2 <= samples <= MOST:
        raise UsageError(
            f"expected the generations that each score is a share of as a whole number between 2 "
            f"and {MOST}, got {samples!r}: name it with --samples (samples=)"
        )
    if len(chosen) != 1 or not isinstance(chosen[0], Recorded):
        raise UsageError(
            "expected one recorded score beside --samples (samples=), the share of right "
            "generations, got other metrics: name it with --score-field, or drop --samples"
        )
    if threshold is not None:
        raise UsageError(
            "expected no --threshold (threshold=) beside --samples (samples=), got both: the "
            "generations are right or wrong, not their share; drop one"
        )
    if score_range not in (UNBOUNDED, (0, 1)):
        raise UsageError(
            f"expected scores from 0 to 1 beside --samples (samples=), got the range "
            f"{score_range!r}: drop --score-range (score_range=)"
        )


def range_of_rates(samples: int | None, score_range: tuple[float, float]) -> tuple[float, float]:
    """Range of the scores: from 0 to 1 where they are shares of generations."""
    return score_range if samples is None else (0.0, 1.0)


def check_pass_rates(comparison: Comparison, samples: int | None) -> Comparison:
    """Refuse scores that are no share of so many generations.

    Raises
    ------
    InputError
        If a score is no multiple of 1 over the number.
    UsageError
        If rows are repeats, or lower scores are better.
    """
    if samples is None:
        return comparison
    if comparison.is_repeated:
        raise UsageError(
            "expected one row for each prompt beside --samples (samples=), got repeats: drop "
            "--samples, as the generations are known one by one"
        )
    if any(not changes.higher_is_better for changes in comparison.changes.values()):
        raise UsageError(
            "expected the share of right generations beside --samples (samples=), got a score that "
            "is better when lower: drop --samples"
        )
    for name, rates in zip(comparison.names, _rates(comparison), strict=True):
        wrong = np.flatnonzero(~(np.abs(rates - np.rint(rates * samples) / samples) <= _ROUNDING))
        if wrong.size:
            first, more = wrong[0], f" and {wrong.size - 1} more" if wrong.size > 1 else ""
            raise InputError(
                f"expected scores of {show(name)} that are multiples of 1/{samples}, with at least "
                f"4 decimals, got {float(rates[first])!r} for {show(comparison.table.ids[first])}"
                f"{more}: name the generations of each with --samples (samples=), or drop it"
            )
    return comparison


def right_of_rates(comparison: Comparison, samples: int) -> list[npt.NDArray[np.int64]]:
    """Right generations of every item by the old and by the new model."""
    return [np.rint(rates * samples).astype(np.int64) for rates in _rates(comparison)]


def _rates(comparison: Comparison) -> tuple[Rates, Rates]:
    # Shares that are all 0 or 1 were taken for verdicts.
    if comparison.correctness is not None:
        old, new, _ = comparison.correctness
        return old.astype(np.float64), new.astype(np.float64)
    (changes,) = comparison.changes.values()
    return changes.old, changes.new
