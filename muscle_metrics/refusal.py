"""The verdict on runs that cannot even be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics import __version__
from muscle_metrics.gate import Outcome, Verdict

if TYPE_CHECKING:
    from muscle_metrics.errors import InputError

__all__ = ["refuse"]


def refuse(error: InputError, *, names: tuple[str, str], confidence: float) -> Verdict:
    """Turn an error in the data into the verdict INVALID, so that every report can say it.

    Parameters
    ----------
    error : InputError
        What was found.
    names : tuple of str
        What the old and the new run are called.
    confidence : float
        One-sided level at which the runs were to be judged.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from muscle_metrics.errors import InputError
    >>> verdict = refuse(InputError("no items"), names=("v1", "v2"), confidence=0.95)
    >>> print(verdict.outcome, verdict.reasons)
    INVALID ('no items',)
    """
    return Verdict(
        outcome=Outcome.INVALID,
        checks=(),
        broken_pins=(),
        reasons=(str(error),),
        names=names,
        confidence=confidence,
        signature=f"muscle-metrics {__version__}; nothing was compared",
    )
