"""Limits on the negative flip rate that public updates suggest; no verdict depends on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muscle_metrics.atlas.table import ALL, check_like, comparable
from muscle_metrics.statistics.interval import check_share
from muscle_metrics.words.numbers import short_percent

__all__ = ["UsualRates", "limit_line", "usual_rates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualRates:
    """What version updates of the atlas broke of all items.

    Parameters
    ----------
    quartiles : tuple of float
        Negative flip rates that a quarter, half and three quarters of the updates kept, in [0, 1].
    updates : int
        Number of version updates.
    like : str
        Their family or task; "all" for every one.
    old_accuracy : float, optional
        Accuracy at which their relative NFR gives these rates; None for the rates as counted.

    Examples
    --------
    >>> usual_rates("mmlu-pro").limit
    0.085
    """

    quartiles: tuple[float, float, float]
    updates: int
    like: str
    old_accuracy: float | None

    @property
    def limit(self) -> float:
        """The median in two digits: a limit that half of the updates kept."""
        return float(f"{self.quartiles[1]:.2g}")

    @property
    def sentence(self) -> str:
        """The suggestion in one sentence, with its origin."""
        named = "" if self.like == ALL else f" ({self.like})"
        where = "" if self.old_accuracy is None else f", at accuracy {self.old_accuracy:g}"
        low, _, high = (short_percent(float(f"{rate:.2g}")) for rate in self.quartiles)
        return (
            f"limit suggested by the atlas: about half of {self.updates} public version updates"
            f"{named} break less, a quarter less than {low}, three quarters less than {high}{where}"
        )


def usual_rates(like: str | None = None, *, old_accuracy: float | None = None) -> UsualRates:
    """Say what public version updates broke, as a limit to start from.

    Parameters
    ----------
    like : str, optional
        A family, such as "tool-calls", or a task, such as "mmlu-pro"; by default all of them.
    old_accuracy : float, optional
        Accuracy of your old model, in (0, 1). The rates are then those of an update that keeps it
        and has the relative NFR of the updates: relative NFR * accuracy * (1 - accuracy).

    Returns
    -------
    UsualRates

    Raises
    ------
    UsageError
        If no such family or task has at least 5 version updates, or the accuracy is no share.

    Examples
    --------
    >>> usual_rates().limit, usual_rates(old_accuracy=0.9).limit
    (0.05, 0.036)
    """
    name = ALL if like is None else check_like(like)
    counts = [update.counts for update in comparable("version", like=name)]
    if old_accuracy is None:
        rates = [float(one.negative_flip_rate) for one in counts]
    else:
        check_share("--old-accuracy (old_accuracy=)", old_accuracy)
        expected = old_accuracy * (1 - old_accuracy)
        rates = [one.relative_negative_flip_rate * expected for one in counts]
    low, middle, high = map(float, np.quantile(rates, [0.25, 0.5, 0.75]))
    return UsualRates(
        quartiles=(low, middle, high), updates=len(rates), like=name, old_accuracy=old_accuracy
    )


def limit_line(limit: float, like: str | None = None) -> str:
    """Say how many public version updates kept a limit on the negative flip rate.

    Examples
    --------
    >>> limit_line(0.02)
    'atlas: 14 of 122 public version updates broke at most 2% of all items'
    """
    name = ALL if like is None else check_like(like)
    rates = [update.counts.negative_flip_rate for update in comparable("version", like=name)]
    named = "" if name == ALL else f" ({name})"
    return (
        f"atlas: {sum(rate <= limit for rate in rates)} of {len(rates)} public version "
        f"updates{named} broke at most {short_percent(limit)} of all items"
    )
