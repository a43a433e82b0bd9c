"""What labels say, whom they cannot fool, and that no damage to a sheet turns a verdict greener."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muscle_metrics import (
    InputError,
    PairingError,
    Policy,
    Run,
    UsageError,
    check_gate,
    compare,
    compare_labelled,
    plan_labels,
)
from muscle_metrics.evidence.labels import LabelSample, Outcomes
from muscle_metrics.labels.sheet import key_path
from tests.labels.conftest import make_runs, read, write

GREENEST_FIRST = ["PASS", "INCONCLUSIVE", "FAIL", "INVALID"]


def verdict(runs, path, **policy):
    labelled = compare_labelled(runs.old, runs.new, path)
    return check_gate(labelled, Policy(**{"max_nfr": "0.05", **policy}))


def test_labels_of_all_items_that_differ_give_the_bounds_of_references(sheet):
    runs = make_runs(300, broken=6, fixed=9, rewritten=20)
    path = runs.fill(sheet(runs, 400))
    ids = [one.id for one in runs.old]
    complete = compare(
        old=[one.prediction for one in runs.old],
        new=[one.prediction for one in runs.new],
        references=[list(runs.right[name]) for name in ids],
        ids=ids,
    )
    ours = verdict(runs, path).checks[0]
    theirs = check_gate(complete, Policy(max_nfr="0.05")).checks[0]
    assert (ours.outcome, ours.estimate, ours.low, ours.high) == (
        theirs.outcome,
        theirs.estimate,
        theirs.low,
        theirs.high,
    )


@pytest.mark.parametrize(("broken", "outcome"), [(4, "PASS"), (200, "FAIL"), (60, "INCONCLUSIVE")])
def test_the_whole_loop(sheet, broken, outcome):
    runs = make_runs(1000, broken=broken, fixed=30, rewritten=150)
    path = runs.fill(sheet(runs, 120))
    found = verdict(runs, path, max_nfr="0.06")
    assert found.outcome == outcome
    assert "labels of the" in found.checks[0].sample


def test_a_judge_that_is_right_makes_the_interval_narrower(sheet):
    runs = make_runs(2000, broken=100, fixed=100, rewritten=700)
    widths = []
    for name, judge in (("without.csv", None), ("with.csv", "judge")):
        path = runs.fill(sheet(runs, 200, name=name, judge=judge))
        low, high = compare_labelled(runs.old, runs.new, path).bounds("negative_flip_rate").ends
        assert low <= 0.05 <= high
        widths.append(high - low)
    assert widths[1] < 0.75 * widths[0]


def test_rates_are_estimated_by_the_sizes_of_the_strata():
    strata = (Outcomes(100, negative=5, both_right=5), Outcomes(300, positive=3, both_wrong=27))
    sample = LabelSample(strata, Outcomes(600))
    # Horvitz-Thompson: 100/10 * 5 = 50, and 300/30 * 3 = 30 of 1000.
    assert sample.estimate("negative") == pytest.approx(0.05)
    assert sample.estimate("positive") == pytest.approx(0.03)
    assert sample.estimate("loss") == pytest.approx(0.02)
    assert sample.estimate("inconsistent") == pytest.approx(0.05 + 0.27)


def test_an_old_model_that_was_never_right_does_not_pass(sheet):
    runs = make_runs(800, rewritten=200)
    nothing = runs._replace(right=dict.fromkeys(runs.right, frozenset()))
    found = verdict(runs, nothing.fill(sheet(runs, 150)))
    assert found.outcome == "INVALID"
    assert "could break, so the limit can hardly be exceeded" in found.checks[0].advice


def test_rows_without_a_label_count_as_broken_and_as_not_broken(sheet):
    runs = make_runs(1000, broken=4, rewritten=150)
    path = runs.fill(sheet(runs, 120), leave=40)
    labelled = compare_labelled(runs.old, runs.new, path)
    assert labelled.sample.unlabelled > 30
    low, high = labelled.bounds("negative_flip_rate").ends
    assert low < 0.004 < 0.05 < high
    for missing in ("count", "ignore"):
        found = verdict(runs, path, missing=missing, on_inconclusive="pass")
        assert found.outcome in ("INCONCLUSIVE", "INVALID")
        assert "without a label" in found.checks[0].sample_text


def test_lost_items_count_as_broken(sheet, tmp_path):
    runs = make_runs(1000, broken=4, rewritten=150)
    fewer = replace(runs.new, records=runs.new.records[:-60])
    path = tmp_path / "lost.csv"
    plan_labels(runs.old, fewer, budget=120, seed=7, missing="drop").write(path)
    runs.fill(path)
    labelled = compare_labelled(runs.old, fewer, path, missing="drop")
    assert labelled.coverage.count == 940
    policy = {"max_nfr": "0.05", "min_coverage": "0.5"}
    assert check_gate(labelled, Policy(**policy)).outcome != "PASS"
    assert check_gate(labelled, Policy(**policy, missing="ignore")).outcome == "PASS"


@pytest.mark.parametrize(
    "limit",
    [
        {"protected": ("x",)},
        {"max_conditional_nfr": "0.1"},
        {"pinned": {"предмет-3"}},
        {"answer": "strip"},
        {"tasks": {"x": "0.1"}},
    ],
)
def test_limits_that_labels_cannot_decide_are_refused(sheet, limit):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 60))
    with pytest.raises(UsageError, match="expected limits that labels of some items decide"):
        verdict(runs, path, **limit)


def damaged(path, change):
    rows = read(path)
    write(path, change(rows) or rows)


def swap(rows):
    row = next(one for one in rows[3:] if one["answer_a"] != one["answer_b"])
    row["answer_a"], row["answer_b"] = row["answer_b"], row["answer_a"]


DAMAGES = {
    "a row of another item": lambda rows: rows[5].update(item="предмет-0x"),
    "an answer changed": lambda rows: rows[9].update(answer_b="да"),
    "sides swapped": swap,
    "a prompt added": lambda rows: rows[9].update(prompt="?"),
    "a row given twice": lambda rows: [*rows, rows[4]],
    "a row given twice in place of another": lambda rows: [*rows[:6], rows[4], *rows[7:]],
    "a row left out": lambda rows: [*rows[:6], *rows[7:]],
    "a row of another sheet": lambda rows: rows[8].update(sheet="0123456789ab"),
    "an unknown word": lambda rows: rows[8].update(right_a="maybe"),
    "one of two labels": lambda rows: rows[8].update(right_a="yes", right_b=""),
    "no label at all": lambda rows: [row.update(right_a="", right_b="?") for row in rows] and None,
    "a column renamed": lambda rows: [
        {**{k: v for k, v in row.items() if k != "right_b"}, "right": "yes"} for row in rows
    ],
    "a row without a number": lambda rows: rows[3].update(row="x"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_changed_sheet_is_refused(sheet, damage):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    assert verdict(runs, path, max_nfr="0.2").outcome == "PASS"
    damaged(path, DAMAGES[damage])
    with pytest.raises(InputError, match="expected"):
        verdict(runs, path, max_nfr="0.2")


def test_equal_answers_with_different_labels_are_refused(sheet):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    rows = read(path)
    equal = next(row for row in rows[3:] if row["answer_a"] == row["answer_b"])
    equal["right_a"], equal["right_b"] = "yes", "no"
    write(path, rows)
    with pytest.raises(InputError, match="expected equal labels of answers that look equal"):
        verdict(runs, path)


def test_a_sheet_belongs_to_its_runs_in_their_order(sheet):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    other = make_runs(300, broken=7, rewritten=60)
    for old, new in ((runs.new, runs.old), (runs.old, other.new)):
        with pytest.raises(InputError, match="expected a sheet of these two runs"):
            compare_labelled(old, new, path)


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ('"levels": "00', '"levels": "10'),
        ('"seed": 7', '"seed": 8'),
        ("[\n   3", "[\n   2"),
        ('"checks"', '"check"'),
        ("{", "["),
    ],
)
def test_a_changed_key_is_refused(sheet, written, changed):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    key = key_path(path)
    text = key.read_text(encoding="utf-8")
    assert written in text
    key.write_text(text.replace(written, changed, 1), encoding="utf-8")
    with pytest.raises(InputError, match="expected"):
        verdict(runs, path)


def test_a_key_of_endless_strata_is_refused(sheet):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    content = json.loads(key_path(path).read_text(encoding="utf-8"))
    content["levels"] = [*map(int, content["levels"][:-1]), 10**9]
    key_path(path).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="expected the key that 'muscle-metrics label' wrote"):
        verdict(runs, path)


def test_runs_of_other_questions_are_refused(sheet):
    runs = make_runs(300, broken=6, rewritten=60)
    asked = [
        Run(tuple(replace(one, prompt=f"вопрос {k}") for k, one in enumerate(run)), run.name)
        for run in (runs.old, runs.new)
    ]
    path = runs.fill(sheet(runs._replace(old=asked[0], new=asked[1]), 40))
    records = list(asked[1])
    records[57] = replace(records[57], prompt="другой вопрос")
    other = Run(tuple(records), "new")
    with pytest.raises(PairingError, match="different prompts for 1 id"):
        compare_labelled(asked[0], other, path)
    with pytest.raises(PairingError, match="different prompts for 1 id"):
        plan_labels(asked[0], other, budget=40, seed=7)


def test_a_sheet_without_its_key_is_refused(sheet):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    key_path(path).unlink()
    with pytest.raises(InputError, match="expected the key of the sheet"):
        verdict(runs, path)


@pytest.mark.parametrize("spelling", ["1.0 0.0", "TRUE FALSE", " Yes NO ", "right wrong", "y n"])
def test_words_and_numbers_as_spreadsheets_write_them(sheet, spelling):
    runs = make_runs(300, broken=6, rewritten=60)
    path = runs.fill(sheet(runs, 40))
    expected = verdict(runs, path).checks
    yes, no = spelling.strip().split()
    damaged(
        path,
        lambda rows: [
            {k: {"yes": yes, "no": no}.get(v, v) if "right" in k else v for k, v in row.items()}
            for row in rows
        ],
    )
    assert verdict(runs, path).checks == expected


RUNS = make_runs(500, broken=20, fixed=20, rewritten=60)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6), broken=st.integers(0, 60), limit=st.sampled_from(["0.03", "0.1"])
)
def test_no_label_that_gets_worse_turns_a_verdict_greener(tmp_path, seed, broken, limit):
    """Right to broken, and any label to none: also where INCONCLUSIVE is let through."""
    path = tmp_path / f"{seed}-{broken}.csv"
    plan_labels(RUNS.old, RUNS.new, budget=70, seed=seed, judge="judge").write(path)
    rows, chooser = read(path), random.Random(seed)
    for row in rows:
        row["right_a"] = row["right_b"] = "yes"
    differing = [row for row in rows if row["answer_a"] != row["answer_b"]]
    of_old = {one.id: one.prediction for one in RUNS.old}

    def set_broken(row):
        sides = ("yes", "no") if row["answer_a"] == of_old[row["item"]] else ("no", "yes")
        row["right_a"], row["right_b"] = sides

    for row in chooser.sample(differing, min(broken, len(differing) - 1)):
        set_broken(row)
    write(path, rows)
    before = verdict(RUNS, path, max_nfr=limit, max_accuracy_loss=limit)
    chosen = chooser.choice([row for row in differing if row["right_a"] == row["right_b"]])
    if chooser.random() < 0.5:
        set_broken(chosen)
    else:
        chosen["right_a"] = chosen["right_b"] = "?"
    write(path, rows)
    after = verdict(RUNS, path, max_nfr=limit, max_accuracy_loss=limit)
    ranks = [GREENEST_FIRST.index(one.outcome) for one in (before, after)]
    # FAIL may become INVALID and the other way round: neither lets a model pass.
    assert ranks[0] <= ranks[1] or min(ranks) >= 2


def test_references_that_differ_do_not_lose_items_of_labels(sheet, tmp_path):
    """No reference judges labelled items, so an item with two of them is no lost one."""
    runs = make_runs(200, broken=5, rewritten=60)
    old, new = (
        replace(run, records=tuple(replace(one, reference=text) for one in run.records))
        for run, text in ((runs.old, "a"), (runs.new, "b"))
    )
    path = tmp_path / "sheet.csv"
    plan_labels(old, new, budget=40, seed=1, conflict="last").write(path)
    runs.fill(path)
    assert compare_labelled(old, new, path, conflict="last").lost == {}


def test_a_stratum_without_any_label_leaves_the_estimate_undefined(sheet):
    runs = make_runs(1000, broken=100, fixed=100, rewritten=300)
    path = sheet(runs, 120, judge="judge")
    rows = read(runs.fill(path))
    for row in rows:
        # All that the judge expects to break has no label.
        if {row["right_a"], row["right_b"]} == {"yes", "no"}:
            row["right_a"] = row["right_b"] = "?"
    write(path, rows)
    found = verdict(runs, path, max_nfr="0.15")
    assert found.outcome in ("INCONCLUSIVE", "INVALID")
    assert "undefined" in str(found)
    assert (
        compare_labelled(runs.old, runs.new, path).to_dict()["rates"]["negative_flip_rate"]["value"]
        is None
    )
