from __future__ import annotations

import pytest

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.shares import check_share


@pytest.mark.parametrize("value", [1e-12, 0.5, 1 - 1e-12])
def test_shares_are_returned(value):
    assert check_share("limit", value) == value


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, float("nan"), "0.1", None])
def test_anything_else_is_refused(value):
    with pytest.raises(UsageError, match=r"expected limit strictly between 0 and 1, got .*0\.02"):
        check_share("limit", value)
