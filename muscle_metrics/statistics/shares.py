"""What every function here means by a share."""

from __future__ import annotations

from muscle_metrics.errors import UsageError

__all__ = ["check_share"]


def check_share(name: str, value: float) -> float:
    """Return `value` if it lies strictly between 0 and 1.

    Parameters
    ----------
    name : str
        What it is a share of, for the message.
    value : float
        A limit, a power or an error rate.

    Returns
    -------
    float
        The same number.

    Raises
    ------
    UsageError
        If it does not; a percentage such as 2 is the usual mistake.

    Examples
    --------
    >>> check_share("limit", 0.02)
    0.02
    """
    if isinstance(value, (int, float)) and 0 < value < 1:
        return value
    raise UsageError(f"expected {name} strictly between 0 and 1, got {value!r}: write 2 % as 0.02")
