from __future__ import annotations

import re

import numpy as np
import pytest

from muscle_metrics.errors import InputError
from muscle_metrics.statistics.counts import check_count


@pytest.mark.parametrize("value", [0, 1, 10**30, np.int8(7), np.uint64(2**63)])
def test_integers_come_back_as_python_ints(value: int) -> None:
    count = check_count("items", value)
    assert type(count) is int
    assert count == value


@pytest.mark.parametrize(
    "value", [-1, np.int64(-1), 1.0, np.float64(1.0), True, np.True_, "1", None, [1], float("nan")]
)
def test_anything_else_is_refused(value: object) -> None:
    message = f"expected items to be a count, an integer of at least 0, got {value!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_count("items", value)
