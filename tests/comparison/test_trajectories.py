"""Behaviour flips: counted beside outcomes, with an interval, and never on nothing."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from muscle_metrics import (
    InputError,
    Record,
    Run,
    UsageError,
    compare,
    compare_runs,
    compare_trajectories,
)
from muscle_metrics.comparison.trajectory_text import trajectory_lines

F, G = {"name": "f", "arguments": {"город": "Київ"}}, {"name": "g", "arguments": {"n": 1}}
G2 = {"name": "g", "arguments": {"n": 2}}
H = {"name": "h", "arguments": {}}


def keyed(steps: list[object]) -> dict[tuple[None, str, None], object]:
    return {(None, str(i), None): one for i, one in enumerate(steps)}


def compared(outcomes: str, old: list[object], new: list[object]):
    """Compare items by their outcomes: "." stayed right, "x" stayed wrong, "-" broke, "+" fixed."""
    right = {".": ("A", "A"), "x": ("B", "C"), "-": ("A", "B"), "+": ("B", "A")}
    answers = [right[one] for one in outcomes]
    comparison = compare(
        old=[one for one, _ in answers],
        new=[one for _, one in answers],
        references=["A"] * len(answers),
    )
    return compare_trajectories(comparison, old=keyed(old), new=keyed(new))


def test_every_kind_of_change_is_counted_by_hand() -> None:
    old = [[F, G], [F, G], [F, G], [F, G], [F], [F, G], [F, G], []]
    new = [[F, G], [G, F], [F, G2], [F, H], [F, G], [F, G2], [F, G], [H]]
    found = compared("..x..-+x", old, new)
    assert (found.stayed.count, found.stayed.total) == (5, 6)
    assert (found.flipped.count, found.flipped.total) == (1, 2)
    assert {kind: found.count(kind) for kind in ("tools", "arguments", "order")} == {
        "tools": 3,
        "arguments": 1,
        "order": 1,
    }
    assert [(one.item.id, one.kind, one.reason) for one in found.changes] == [
        ("1", "order", "order of calls"),
        ("2", "arguments", "argument n of g differs"),
        ("3", "tools", "name h instead of g"),
        ("4", "tools", "call of g is new"),
        ("7", "tools", "call of h is new"),
        ("5", "arguments", "argument n of g differs"),
    ]
    assert found.changes[0].old == ('f(город="Київ")', "g(n=1)")
    low, high = proportion_confint(5, 6, method="wilson")
    assert found.bounds.ends == pytest.approx((low, high))


def test_items_are_found_by_task_id_and_repeat_and_not_by_their_order() -> None:
    def run(name: str) -> Run:
        return Run(
            tuple(
                Record("1", "A", "A", task=task, repeat=repeat)
                for task in ("法", "b")
                for repeat in "01"
            ),
            name,
        )

    comparison = compare_runs(run("v1"), run("v2"))
    keys = [(task, "1", repeat) for task in ("法", "b") for repeat in "01"]
    old = {key: [F] for key in keys}
    for changed in keys:
        for order in permutations(keys):
            new = {key: [G] if key == changed else [F] for key in order}
            found = compare_trajectories(comparison, old=old, new=new)
            assert [(c.item.task, c.item.id, c.item.repeat) for c in found.changes] == [changed]
    # Repeats of a prompt are no independent items.
    assert found.bounds.method != "Wilson"
    low, high = found.bounds.ends
    assert low <= 0.25 <= high


@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize("value", [None, "I called f.", {"f": 1}, ["f"], 3])
def test_an_item_without_a_trajectory_is_refused_by_name(side: str, value: object) -> None:
    steps = {"old": [[F], [F], [F]], "new": [[F], [F], [F]]}
    steps[side][1] = value
    match = f"^expected a list of messages or steps as trajectory of '1' in {side} '{side}', got "
    with pytest.raises(InputError, match=match):
        compared("...", steps["old"], steps["new"])
    del steps[side][1]
    with pytest.raises(InputError, match=f"of '2' in {side} '{side}', got null"):
        compared("...", steps["old"], steps["new"])


def test_runs_without_any_call_are_refused() -> None:
    """A field of prompts alone would show that no behaviour changed."""
    asked = [[{"role": "user", "content": "?"}]] * 3
    with pytest.raises(InputError, match="expected calls of tools in some trajectory, got none"):
        compared("...", asked, asked)
    assert compared("...", asked, [*asked[:2], [F]]).stayed.count == 1


def test_graded_scores_have_no_outcome() -> None:
    comparison = compare(old=["a b"], new=["a c"], references=["a b"], metric="rouge1")
    with pytest.raises(UsageError, match="expected right and wrong answers beside trajectories"):
        compare_trajectories(comparison, old=keyed([[F]]), new=keyed([[G]]))


def test_where_every_outcome_flipped_there_is_no_share() -> None:
    found = compared("-+", [[F], [F]], [[F], [G]])
    assert found.bounds is None
    assert found.to_dict()["outcome_stayed"]["interval"] == [None, None]
    assert trajectory_lines(found)[0] == "behaviour: no item whose outcome stayed"


def test_lines_list_as_many_items_as_asked_and_hide_secrets() -> None:
    key = {"name": "f", "arguments": {"key": "sk-abcdefghijklmnop0123456789"}}
    found = compared("...", [[F], [F], [F]], [[F], [key], []])
    lines = trajectory_lines(found, 1)
    assert "other calls of tools: the first 1 of 2" in lines
    assert '    old        f(город="Київ")' in lines
    assert "sk-" not in "".join(lines)
    assert "    new        no call" in trajectory_lines(found, 5)
    assert not any(line.startswith("    ") for line in trajectory_lines(found))


STEPS = st.lists(st.sampled_from([F, G, G2, H]), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(".x-+"), STEPS, STEPS), min_size=1, max_size=8))
def test_counts_add_up_and_equal_runs_do_not_differ(rows) -> None:
    outcomes, old, new = (list(column) for column in zip(*rows, strict=True))
    if not any([*old, *new]):
        return
    found = compared("".join(outcomes), old, new)
    kinds = sum(found.count(kind) for kind in ("tools", "arguments", "order"))
    assert kinds == found.stayed.count
    assert len(found.changes) == found.stayed.count + found.flipped.count
    assert len(found.changes) == sum(a != b for a, b in zip(old, new, strict=True))
    assert found.stayed.total == sum(one in ".x" for one in outcomes)
    if any(old):
        assert compared("".join(outcomes), old, old).changes == ()
