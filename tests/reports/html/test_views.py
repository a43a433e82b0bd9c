"""Which items a page lists: every slice has its turn, and the largest loss comes first."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jinja2")

from muscle_metrics import Record, Run, compare, compare_runs
from muscle_metrics.reports.html.explorer import explore
from muscle_metrics.reports.html.views import find_views, take_turns


@given(st.lists(st.sampled_from(["a", "b", "ü", None]), max_size=40), st.data())
def test_a_list_that_ends_anywhere_is_shared_by_slices(parts: list[str | None], data) -> None:
    positions = data.draw(st.permutations(range(len(parts))))
    first = data.draw(st.sets(st.sampled_from(positions))) if positions else set()
    order = take_turns(positions, parts, first)
    assert sorted(order) == sorted(positions)
    assert {*order[: len(first)]} == first
    rest = order[len(first) :]
    sizes = Counter(parts[i] for i in rest)
    for most in range(len(rest)):
        listed = Counter(parts[i] for i in rest[:most])
        # No slice gets a second one more than another gets, unless that one has no more.
        for one in sizes:
            for other in sizes:
                assert listed[one] <= listed[other] + 1 or listed[other] == sizes[other]
    for part in sizes:
        mine = [i for i in rest if parts[i] == part]
        assert mine == [i for i in positions if parts[i] == part and i not in first]


def test_a_small_slice_behind_large_ones_is_listed() -> None:
    slices = ["bio"] * 400 + ["физика"] * 30
    comparison = compare(old=["A"] * 430, new=["B"] * 430, references=["A"] * 430, slices=slices)
    found = explore(comparison, most=40, room=10**6, labels=["bio", "физика"])
    broke = found.views[0]
    assert found.listed[0] == {"bio": 20, "физика": 20}
    assert found.totals[0] == {"bio": 400, "физика": 30}
    assert (len(broke.shown), broke.left_out) == (40, 390)
    # And where bytes end first.
    room = 3 * sum(len(text.encode()) for text in broke.shown[:6])
    (fewer, *_), _, _, (listed, *_), *_ = explore(comparison, most=40, room=room, labels=["bio"])
    assert 4 < len(fewer.shown) < 40
    assert abs(listed["bio"] - listed["физика"]) <= 1


def scored(order: list[str]):
    """Nine items that are right at first; those that break lose more f1 the later they come."""
    runs = [
        Run(
            tuple(
                Record(
                    f"q{i}",
                    scores={"acc": float(not (new and i % 2)), "f1": 0.9 - new * i / 20},
                )
                for i in range(9)
            ),
            f"v{new}",
        )
        for new in (0, 1)
    ]
    return compare_runs(*runs, metric=order)


def test_the_metric_named_first_leads_and_losses_sort_what_broke() -> None:
    views = find_views(scored(["acc", "f1"]))
    assert [view.name for view in views] == ["negative", "positive", "worse-0", "better-0"]
    assert views[0].positions == [7, 5, 3, 1]
    assert views[2].positions == [8, 7, 6, 5, 4, 3, 2, 1]
    views = find_views(scored(["f1", "acc"]), pinned={"q3"})
    assert [view.name for view in views] == ["worse-0", "better-0", "negative", "positive"]
    assert views[2].positions == [3, 7, 5, 1]
    assert views[0].positions[0] == 3
