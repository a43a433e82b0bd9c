"""The table of rates names what counts and score changes give, and nothing else."""

from __future__ import annotations

import pytest

from muscle_metrics import FlipCounts, Rate, measure_changes
from muscle_metrics.flips.rate_table import ITEMS, RATES, SCORE_MEANS, SCORE_RATES

COUNTS = FlipCounts(
    both_right=40, negative=3, positive=5, both_wrong=20, both_right_changed=2, wrong_changed=7
)
# Denominators by the words of the table.
TOTALS = {
    ITEMS: COUNTS.total,
    "items old got right": COUNTS.old_right,
    "items old got wrong": COUNTS.old_wrong,
    "right answers of new": COUNTS.new_right,
    "errors of new": COUNTS.new_wrong,
}


@pytest.mark.parametrize("key", RATES)
def test_words_name_the_denominator(key: str) -> None:
    rate = getattr(COUNTS, key)
    if isinstance(rate, Rate):
        assert rate.total == TOTALS[RATES[key].of]
    else:
        assert key in {"accuracy_change", "relative_negative_flip_rate"}


def test_every_rate_has_names_of_its_own() -> None:
    for table in (RATES, SCORE_RATES | SCORE_MEANS):
        for names in ([m.name for m in table.values()], [m.words for m in table.values()]):
            assert len(names) == len({*names})


def test_scores_have_every_rate_and_mean_of_the_table() -> None:
    changes = measure_changes(old=[0.5, 0.9, 0.1], new=[0.6, 0.7, 0.1])
    assert all(getattr(changes, key).total == 3 for key in SCORE_RATES)
    assert [getattr(changes, key).count for key in SCORE_MEANS] == [3, 1, 1]
