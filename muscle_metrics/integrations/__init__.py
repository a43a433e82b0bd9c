"""One module per host tool; each reports the same flips inside that tool."""

from __future__ import annotations

from pathlib import Path

from muscle_metrics.errors import check_choice

__all__ = ["evaluate_path"]

EVALUATE_MODULES = ("flips", "inconsistency_flip_rate", "negative_flip_rate", "positive_flip_rate")


def evaluate_path(name: str) -> str:
    """Folder of a metric that `evaluate.load` of Hugging Face loads.

    Parameters
    ----------
    name : {"flips", "inconsistency_flip_rate", "negative_flip_rate", "positive_flip_rate"}
        One rate, or the counts and all rates.

    Returns
    -------
    str
        Absolute path, because a bare name would be looked up on the Hub.

    Raises
    ------
    UsageError
        If there is no metric of that name.

    Examples
    --------
    >>> Path(evaluate_path("negative_flip_rate")).name
    'negative_flip_rate'
    """
    check_choice("a metric", name, EVALUATE_MODULES)
    return str(Path(__file__).parent / "evaluate_modules" / name)
