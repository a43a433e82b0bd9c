"""Which slices lead, and which differ from all others: never more than chance allows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from muscle_metrics import FlipCounts
from muscle_metrics.comparison.ranking import distinct_parts, rank_parts
from muscle_metrics.statistics.multiplicity import rest_p_values


def counts(total: int, broken: int) -> FlipCounts:
    return FlipCounts(both_right=total - broken, negative=broken, positive=0, both_wrong=0)


def test_small_slices_do_not_lead() -> None:
    parts = {
        "one of five": FlipCounts(both_right=4, negative=1, positive=0, both_wrong=0),
        "large": FlipCounts(both_right=70, negative=30, positive=0, both_wrong=0),
        "none of two": FlipCounts(both_right=2, negative=0, positive=0, both_wrong=0),
        "calm": FlipCounts(both_right=95, negative=5, positive=0, both_wrong=0),
    }
    assert [part.name for part in rank_parts(parts)] == [
        "large", "one of five", "none of two", "calm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "total", "flips", "items"),
    [(3, 10, 20, 200), (0, 40, 20, 200), (9, 10, 20, 200), (0, 5, 0, 50), (20, 200, 20, 200)],
)
def test_a_slice_is_tested_against_all_other_items(
    broken: int, total: int, flips: int, items: int
) -> None:
    table = [[broken, total - broken], [flips - broken, items - total - flips + broken]]
    tails = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    (found,) = rest_p_values([broken], [total], flips, items)
    assert found == pytest.approx(min(1, 2 * min(tails)))


def test_slices_of_one_rate_are_rarely_marked() -> None:
    # Holm keeps the chance of any mark at 5 % or less; 200 draws of 12 slices without a difference.
    random = np.random.default_rng(5)
    marked = 0
    for _ in range(200):
        parts = {str(i): counts(80, int(random.binomial(80, 0.1))) for i in range(12)}
        marked += bool(distinct_parts(parts, counts(960, sum(c.negative for c in parts.values()))))
    assert marked <= 16


def test_items_outside_of_all_slices_are_part_of_the_rest() -> None:
    parts = {"one": counts(100, 30)}
    assert distinct_parts(parts, counts(100, 30)) == {}
    assert distinct_parts(parts, counts(1000, 40)) == {"one": "more"}
    assert distinct_parts(parts, counts(1000, 700)) == {"one": "fewer"}
    assert distinct_parts({}, counts(10, 1)) == {}
