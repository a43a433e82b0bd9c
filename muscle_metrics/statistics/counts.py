"""What every function here means by a count."""

from __future__ import annotations

import numpy as np

from muscle_metrics.errors import InputError

__all__ = ["check_count"]


def check_count(name: str, value: object) -> int:
    """Return `value` as a Python int if it counts something.

    Python ints do not overflow, so counts of any size may be multiplied afterwards.

    Parameters
    ----------
    name : str
        What is counted, for the message.
    value : int
        Python or numpy integer, at least 0. A bool answers a question and counts nothing.

    Returns
    -------
    int
        The same number.

    Raises
    ------
    InputError
        If `value` is not such an integer.

    Examples
    --------
    >>> check_count("negative", 41)
    41
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0:
        return int(value)
    raise InputError(f"expected {name} to be a count, an integer of at least 0, got {value!r}")
