"""What each section of the page says, from counts that are easy to follow."""

from __future__ import annotations

import pytest

pytest.importorskip("jinja2")

from muscle_metrics import (
    FlipCounts,
    Policy,
    Record,
    Run,
    check_gate,
    compare,
    compare_runs,
    count_chain,
    measure_changes,
)
from muscle_metrics.reports.html.answers import answer_table
from muscle_metrics.reports.html.headline import story, story_details
from muscle_metrics.reports.html.limits import noise_rows, reachable_limits
from muscle_metrics.reports.html.scale import scale_from_zero
from muscle_metrics.reports.html.score_charts import score_charts
from muscle_metrics.reports.html.slices import slice_forest
from muscle_metrics.reports.html.versions import describe_chain
from muscle_metrics.reports.ranking import rank_parts
from muscle_metrics.statistics.noise import estimate_noise
from muscle_metrics.statistics.power import gate_power


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
        ((9, 0, 0, 1), "Nothing broke, and nothing got fixed."),
    ],
)
def test_story(cells: tuple[int, ...], said: str) -> None:
    assert story(compared(*cells)) == said


def test_details_tell_chance_from_change() -> None:
    assert "chance alone could explain" in story_details(compared(80, 9, 11))[0]
    assert "chance alone would hardly explain" in story_details(compared(300, 5, 95))[0]
    assert story_details(compared(9, 1, 0))[1:] == []
    assert story_details(compared(8, 1, 0, 1))[1:] == ["Of what was wrong, nothing got fixed."]
    changed = compare(old=["B", "B"], new=["C", "A"], references=["A", "A"])
    assert story_details(changed)[1] == (
        "Of what was wrong, 1 answer got fixed, and 1 answer turned into another wrong answer."
    )


def test_details_claim_no_chance_where_items_depend_on_each_other() -> None:
    comparison = compare(
        old=["A"] * 9, new=["A"] * 9, references=["A"] * 9, groups=list("aabbccdde")
    )
    assert "chance" not in story_details(comparison)[0]


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


def test_forest_has_everything_on_one_axis() -> None:
    parts = {
        name: FlipCounts(both_right=90 - n, negative=n, positive=5, both_wrong=5)
        for n, name in ((20, "worst"), (9, "middle"), (0, "none"))
    }
    overall = sum(parts.values(), FlipCounts(both_right=0, negative=0, positive=0, both_wrong=0))
    forest = slice_forest("slice", parts, overall)
    assert [row.name for row in forest.rows] == ["worst", "middle", "none"]
    for row in forest.rows:
        low, at, high = (float(place[:-1]) for place in (row.low, row.at, row.high))
        assert 0 <= low <= at <= high <= 100
    assert forest.overall == "9.7%"
    many = {
        str(i): FlipCounts(both_right=9, negative=1, positive=0, both_wrong=0) for i in range(120)
    }
    assert slice_forest("slice", many, overall).left_out == 20


@pytest.mark.parametrize("largest", [0.0004, 0.03, 0.051, 0.2, 0.71, 1.0])
def test_axes_reach_a_little_beyond_the_largest(largest: float) -> None:
    scale = scale_from_zero(largest)
    assert largest <= scale.end <= 2.5 * largest
    assert 2 <= len(scale.ticks) <= 6
    assert (scale.ticks[0].text, scale.ticks[-1].at) == ("0%", "100.000%")


def test_columns_hold_every_item_that_moved() -> None:
    old = [0.5] * 10
    new = [0.5, 0.5, 0.52, 0.6, 0.6, 0.9, 0.4, 0.4, 0.4, 0.1]
    charts = score_charts("f1", measure_changes(old=old, new=new, minimum_effect=0.05))
    heights = {"worse": 0.0, "better": 0.0}
    for column in charts.columns:
        heights[column.kind] += float(column.height[:-1]) / 100 * charts.most
    assert heights == {"worse": pytest.approx(4, abs=1e-3), "better": pytest.approx(3, abs=1e-3)}
    assert charts.dead_band == "0.05"
    first, *_, last = charts.curve.split()
    top = float(charts.rate_ticks[-1].text[:-1]) / 100
    assert 1 - float(first.split(",")[1]) / 100 == pytest.approx(0.4 / top, abs=1e-3)
    assert last.split(",")[1] == "100.00"


def test_answers_of_a_closed_set_turn_into_each_other() -> None:
    # Letters move by one, as a model does that counts from B.
    old = list("AAAABBBBCCCC") * 3
    new = list("BBBACCCBAAAC") * 3
    table = answer_table(compare(old=old, new=new, references=old))
    assert table.answers == ["A", "B", "C"]
    assert [(turn.old, turn.new, turn.items) for turn in table.turns] == [
        ("A", "B", 9), ("B", "C", 9), ("C", "A", 9),
    ]  # fmt: skip
    assert sum(count for _, cells in table.rows for count, _ in cells) == 36
    assert max(depth for _, cells in table.rows for _, depth in cells) == 100


def test_open_answers_have_no_matrix() -> None:
    texts = [f"answer {i}" for i in range(40)]
    assert answer_table(compare(old=texts, new=texts[::-1], references=texts)) is None
    numbers = [1, 2] * 20
    assert answer_table(compare(old=numbers, new=numbers, references=numbers)) is None


def test_answers_that_were_not_given_are_counted_apart() -> None:
    letters = list("ABCD") * 10
    new = [None, *letters[1:]]
    table = answer_table(compare(old=letters, new=new, references=letters, missing="wrong"))
    assert table.left_out == 1


def test_limits_are_those_the_gate_decides() -> None:
    comparison = compared(290, 10, 0)
    verdict = check_gate(comparison, Policy(max_nfr="0.05"))
    limits = reachable_limits(comparison, verdict)
    assert limits.keeps == verdict.checks[0].shown(verdict.checks[0].high)
    assert limits.breaks == verdict.checks[0].shown(verdict.checks[0].low)
    keeps = float(limits.keeps[:-1]) / 100
    assert check_gate(comparison, Policy(max_nfr=str(keeps + 0.0001))).outcome == "PASS"
    assert check_gate(comparison, Policy(max_nfr=str(keeps - 0.0001))).outcome == "INCONCLUSIVE"
    half = next(row for row in limits.powers if row.rate == "2.50%")
    assert half.passed == f"{gate_power(items=300, limit=0.05, true_rate=0.025).passes:.0%}"


def test_noise_is_that_of_the_gate() -> None:
    def run(name: str, rights: list[int]) -> Run:
        return Run(
            tuple(
                Record(f"q{i}", "A" if r < right else "B", "A", repeat=str(r))
                for i, right in enumerate(rights)
                for r in range(4)
            ),
            name,
        )

    comparison = compare_runs(run("v1", [4, 3, 4, 0]), run("v2", [4, 3, 0, 0]))
    noise = estimate_noise(
        old_right=[4, 3, 4, 0], old_repeats=4, new_right=[4, 3, 0, 0], new_repeats=4
    )
    rows = {row.name: row.value for row in noise_rows(comparison)}
    assert rows["Noise floor"] == f"{noise.floor.mean:.2%}"
    assert rows["Regression mass"] == f"{noise.regression_mass.mean:.2%}"
    assert reachable_limits(comparison, None) is None


def test_chains_survive_step_by_step() -> None:
    versions = [list("AAAA"), list("AABB"), list("ABAB")]
    described = describe_chain(count_chain(versions=versions, references=["A"] * 4))
    assert [row.sample for row in described.survival] == ["4 of 4", "2 of 4", "1 of 4"]
    assert [(step.before, step.name) for step in described.steps] == [
        ("v1", "v2"), ("v2", "v3"), ("v1", "v3"),
    ]  # fmt: skip
    assert described.flip_flops.endswith("(0 of 4)")
