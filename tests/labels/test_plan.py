"""Which items are drawn, with which chances, and what a sheet gives away."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from muscle_metrics import InputError, Record, Run, UsageError, plan_labels
from muscle_metrics.labels.design import draw, new_is_first
from muscle_metrics.labels.sheet import key_path
from tests.labels.conftest import make_runs, read


def test_items_with_equal_answers_are_drawn_as_checks_alone(sheet):
    runs = make_runs(400, broken=30, rewritten=90)
    rows = read(sheet(runs, 80))
    equal = [row for row in rows if row["answer_a"] == row["answer_b"]]
    assert (len(rows), len(equal)) == (80, 5)


def test_equal_means_equal_in_type_and_text():
    answers = [(1, 1.0), (True, 1), ("a", "a"), ("a", "a "), (float("nan"), float("nan"))]
    old = Run(tuple(Record(str(k), one) for k, (one, _) in enumerate(answers)), "old")
    new = Run(tuple(Record(str(k), one) for k, (_, one) in enumerate(answers)), "new")
    plan = plan_labels(old, new, budget=10, seed=1)
    assert plan.items.differs.tolist() == [True, True, False, True, True]


def test_equal_means_equal_in_what_lists_and_objects_hold():
    pairs = [([1], [True]), ({"да": 1}, {"да": 1.0}), ([["a", 1]], [["a", 1]]), ([0.5], [0.5])]
    old = Run(tuple(Record(str(k), one) for k, (one, _) in enumerate(pairs)), "old")
    new = Run(tuple(Record(str(k), one) for k, (_, one) in enumerate(pairs)), "new")
    plan = plan_labels(old, new, budget=10, seed=1)
    assert plan.items.differs.tolist() == [True, True, False, False]


def test_every_item_of_a_stratum_has_the_same_chance():
    runs = make_runs(40, broken=6, rewritten=14)
    chosen: Counter[int] = Counter()
    for seed in range(200):
        plan = plan_labels(runs.old, runs.new, budget=15, seed=seed)
        chosen.update(row.position for row in draw(plan.design, plan.items) if row.stratum == 0)
    assert plan.probabilities == [0.5]
    # 20 binomial counts around 100: five standard deviations.
    assert len(chosen) == 20
    assert all(abs(count - 100) < 5 * 7.1 for count in chosen.values())


def test_draws_are_spread_over_slices():
    runs = make_runs(400, rewritten=400)
    slices = ["x" if k % 10 == 3 else "y" for k in range(400)]
    records = [replace(one, slice=s) for one, s in zip(runs.old.records, slices, strict=True)]
    plan = plan_labels(Run(tuple(records), "old"), runs.new, budget=100, seed=5)
    drawn = Counter(plan.items.joined.slices[r.position] for r in draw(plan.design, plan.items))
    assert drawn == {"x": 10, "y": 90}


def test_a_judge_sorts_items_into_strata_and_more_of_the_doubtful_are_drawn():
    runs = make_runs(1000, broken=60, fixed=60, rewritten=200)
    plan = plan_labels(runs.old, runs.new, budget=150, seed=1, judge="judge")
    assert plan.design.sizes == [60, 200, 60]
    lowest, _, highest = plan.probabilities
    assert highest > 1.5 * lowest


def test_other_models_and_confidence_are_votes():
    runs = make_runs(100, broken=10, rewritten=20)
    agreeing = replace(runs.old, name="third")
    plan = plan_labels(runs.old, runs.new, budget=30, seed=1, candidates=[agreeing])
    assert plan.design.sizes == [30]
    sure = Run(
        tuple(Record(one.id, scores={"p": k / 100}) for k, one in enumerate(runs.old.records)), "p"
    )
    plan = plan_labels(runs.old, runs.new, budget=30, seed=1, confidence=sure)
    assert len(plan.design.sizes) == 2


def test_the_order_of_rows_changes_nothing_and_another_seed_does(sheet):
    runs = make_runs(200, broken=20, rewritten=40)
    backwards = runs._replace(
        old=replace(runs.old, records=runs.old.records[::-1]),
        new=replace(runs.new, records=runs.new.records[::-1]),
    )
    first, same, other = (
        sheet(which, 40, name=f"{number}.csv", seed=seed).read_bytes()
        for number, (which, seed) in enumerate([(runs, 7), (backwards, 7), (runs, 8)])
    )
    assert first == same
    assert first != other


def test_sides_are_shuffled_and_only_the_key_tells_them(sheet):
    runs = make_runs(600, broken=200)
    path = sheet(runs, 210)
    answers = {one.id: one.prediction for one in runs.new.records}
    news = [row["answer_a"] == answers[row["item"]] for row in read(path)]
    # 5 rows are checks, where both sides are equal; of the others half.
    assert 70 < sum(news) - 5 < 130
    assert key_path(path).exists()
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"seed|old|new|stratum|prob", text)
    # The same rows with other sides: no order of rows or columns gives them away.
    sides = [new_is_first(8, (None, row["item"])) for row in read(path)]
    assert sides != news


def test_a_formula_in_an_answer_stays_text(sheet):
    runs = make_runs(40)
    records = [replace(one, prediction="=HYPERLINK(A1)") for one in runs.new.records]
    path = sheet(runs._replace(new=Run(tuple(records), "new")), 30)
    cells = [row[f"answer_{side}"] for row in read(path) for side in "ab"]
    assert cells.count("'=HYPERLINK(A1)") == 30


def test_an_extended_sheet_keeps_its_rows_labels_and_notes(sheet, tmp_path):
    runs = make_runs(600, broken=30, fixed=20, rewritten=200)
    path = runs.fill(sheet(runs, 60, judge="judge"), leave=4)
    path.write_text(path.read_text(encoding="utf-8").replace(",no,", ",no,", 1), encoding="utf-8")
    plan = plan_labels(runs.old, runs.new, budget=140, extend=path)
    plan.write(tmp_path / "more.csv")
    before, after = read(path), read(tmp_path / "more.csv")
    assert len(after) == 140
    kept = [{**row, "sheet": ""} for row in after[:60]]
    assert kept == [{**row, "sheet": ""} for row in before]
    assert len({row["item"] for row in after}) == 140


def test_a_second_stage_draws_more_where_labels_vary(sheet):
    """Half of the items that the judge expects to break did, and none of the others."""
    runs = make_runs(2000, broken=150, fixed=150, rewritten=700)
    doubted = [one for one in runs.new if one.prediction.endswith("!")][:150]
    names = {one.id for one in doubted}
    records = [replace(one, scores={"judge": 0.0}) if one.id in names else one for one in runs.new]
    runs = runs._replace(new=Run(tuple(records), "new"))
    path = runs.fill(sheet(runs, 120, judge="judge"))
    plan = plan_labels(runs.old, runs.new, budget=300, extend=path)
    first, second = plan.design.stages
    assert sum(first) + sum(second) + sum(plan.design.checks) == 300
    shares = [drawn / size for drawn, size in zip(second, plan.design.sizes, strict=True)]
    assert shares[2] > 2 * max(shares[:2])


def test_the_key_is_read_again_as_it_was_written(sheet):
    path = sheet(make_runs(100, broken=30), 20)
    content = json.loads(key_path(path).read_text(encoding="utf-8"))
    assert (content["seed"], content["stages"], content["checks"]) == (7, [[15]], [5])


def test_a_plan_says_what_is_known_without_any_label():
    runs = make_runs(400, broken=10, rewritten=90)
    text = str(plan_labels(runs.old, runs.new, budget=60, seed=7))
    assert "at most 25.00% of these items broke, or got fixed" in text
    assert "55 of the 100 items that differ" in text
    assert "if all of them are labelled and none is broken, NFR is at most" in text


def test_equal_runs_leave_nothing_to_label():
    runs = make_runs(40)
    with pytest.raises(UsageError, match="nothing can have flipped"):
        plan_labels(runs.old, replace(runs.old, name="new"), budget=20, seed=1)


@pytest.mark.parametrize("name", ["group", "repeat"])
def test_items_that_depend_on_each_other_are_refused(name):
    runs = make_runs(40, broken=10)
    runs_of = [
        Run(tuple(replace(one, **{name: "1" if k > 20 else "2"}) for k, one in enumerate(run)), "v")
        for run in (runs.old, runs.new)
    ]
    with pytest.raises(InputError, match="expected independent items for labels"):
        plan_labels(*runs_of, budget=20, seed=1)


@pytest.mark.parametrize(
    ("strange", "name"),
    [
        (np.arange(3), "ndarray"),
        ([np.arange(2000)], "ndarray"),
        ({"да": (1, np.array(["x", "y"]))}, "ndarray"),
        ([pd.NA], "NAType"),
        ({1, 2}, "set"),
        ([b"x"], "bytes"),
    ],
)
@pytest.mark.parametrize("place", ["old", "new", "candidate"])
def test_an_answer_that_is_no_plain_data_is_refused(strange, name, place):
    texts = [f"ответ {k}" for k in range(20)]
    runs = {
        one: Run(
            tuple(
                Record(f"вопрос {k}", strange if k == 13 and one == place else f"{text} {one}")
                for k, text in enumerate(texts)
            ),
            one,
        )
        for one in ("old", "new", "candidate")
    }
    with pytest.raises(InputError, match=f"'{place}', got {name} for 'вопрос 13'"):
        plan_labels(runs["old"], runs["new"], budget=10, seed=1, candidates=[runs["candidate"]])


def test_numbers_of_numpy_are_plain():
    rows = [np.float64(1.5), np.int32(2), np.bool_(True), [np.float32(0.1)], {"a": None}]
    old = Run(tuple(Record(str(k), row) for k, row in enumerate(rows)), "old")
    new = replace(old, records=(*old.records[:-1], Record("4", {"a": 1})), name="new")
    plan = plan_labels(old, new, budget=10, seed=1)
    assert plan.items.differs.tolist() == [False] * 4 + [True]


def test_a_missing_answer_is_advised_to_be_left_out():
    old = Run(tuple(Record(f"q{k}", f"text {k}") for k in range(20)), "old")
    new = Run(tuple(Record(f"q{k}", f"Text {k}" if k - 13 else None) for k in range(20)), "new")
    with pytest.raises(InputError, match=r"'q13'.*--unanswered drop") as refused:
        plan_labels(old, new, budget=10, seed=1)
    assert "wrong" not in str(refused.value)
    assert plan_labels(old, new, budget=10, seed=1, unanswered="drop").items.total == 19
