"""What reports say about an update in sentences, from counts that are easy to follow."""

from __future__ import annotations

import pytest

from muscle_metrics import compare
from muscle_metrics.comparison.story import story, story_details


def compared(both_right: int, negative: int, positive: int, both_wrong: int = 0):
    old = ["A"] * (both_right + negative) + ["B"] * (positive + both_wrong)
    new = ["A"] * both_right + ["C"] * negative + ["A"] * positive + ["B"] * both_wrong
    return compare(old=old, new=new, references=["A"] * len(old))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ((8, 1, 1), "Accuracy stayed the same, but 1 of 9 right answers is now wrong."),
        (
            (7, 1, 2),
            "Accuracy rose by 10.0 points, but 1 of 8 right answers is now wrong.",
        ),
        ((7, 2, 1), "Accuracy fell by 10.0 points: 2 of 9 right answers are now wrong."),
        ((9, 0, 1), "Nothing broke, and 1 answer got fixed."),
        ((9, 0, 0, 1), "The two runs are equal on every item."),
    ],
)
def test_story(cells: tuple[int, ...], said: str) -> None:
    assert story(compared(*cells)) == said


def test_story_of_answers_that_only_changed() -> None:
    changed = compare(old=["B", "A"], new=["C", "A"], references=["A", "A"])
    assert story(changed) == "Nothing broke, and nothing got fixed."


def test_details_tell_chance_from_change() -> None:
    assert "chance alone could explain" in story_details(compared(80, 9, 11))[0]
    assert "chance alone would hardly explain" in story_details(compared(300, 5, 95))[0]
    assert story_details(compared(9, 1, 0))[1:] == []
    assert story_details(compared(8, 1, 0, 1))[1:] == ["Of what was wrong, nothing got fixed."]
    changed = compare(old=["B", "B"], new=["C", "A"], references=["A", "A"])
    assert story_details(changed)[1] == (
        "Of what was wrong, 1 answer got fixed, and 1 answer turned into another wrong answer."
    )


def test_chance_is_that_of_groups_where_items_depend_on_each_other() -> None:
    comparison = compare(
        old=["A"] * 9, new=["A"] * 9, references=["A"] * 9, groups=list("aabbccdde")
    )
    low, high = (100 * bound for bound in comparison.bounds("accuracy_change").ends)
    assert story_details(comparison)[0].endswith(
        f"(95% interval {low:+.2f} to {high:+.2f} points, approximate).".replace("-", "\u2212")
    )
