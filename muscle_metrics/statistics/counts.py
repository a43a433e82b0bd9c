"""The check of a count."""

from __future__ import annotations

import numpy as np

from muscle_metrics.errors import InputError

__all__ = ["check_count"]


def check_count(name: str, value: object) -> int:
    """Return `value` as a Python int, if it is a Python or numpy integer of at least 0.

    Python ints do not overflow, so counts of any size may be multiplied afterwards. A bool is no
    count. The message calls the count `name`.

    Raises
    ------
    InputError
        If `value` is not such an integer.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0:
        return int(value)
    raise InputError(f"expected {name} to be a count, an integer of at least 0, got {value!r}")
