"""Verdicts of a judge on all items, corrected by labels: what they add, and whom they fool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muscle_metrics import (
    Policy,
    Run,
    UsageError,
    check_gate,
    compare_labelled,
    compare_runs,
    plan_labels,
)
from muscle_metrics.evidence.labels import LabelSample, Outcomes
from tests.labels.conftest import make_runs, read, write

# Shares of right and of wrong answers that a judge calls right, of OLD and of NEW.
LENIENT = ((0.9, 0.1), (0.95, 0.4))
NOISY = ((0.9, 0.1), (0.9, 0.1))
USELESS = ((0.5, 0.5), (0.5, 0.5))


def judged(runs, rates, *, graded=False, seed=5):
    """The same runs with verdicts of a judge that errs; equal answers get equal verdicts."""
    random, known, made = np.random.default_rng(seed), {}, []
    for run, (of_right, of_wrong) in zip((runs.old, runs.new), rates, strict=True):
        records = []
        for one in run:
            right = one.prediction in runs.right[one.id]
            says = known.setdefault(
                (one.id, one.prediction), random.random() < (of_right if right else of_wrong)
            )
            score = (0.7 if says else 0.2) if graded else float(says)
            records.append(replace(one, scores={"judge": score}))
        made.append(Run(tuple(records), run.name))
    return runs._replace(old=made[0], new=made[1])


def lenient_runs():
    """2000 items: 120 broke and 80 got fixed, so accuracy falls by 2 points."""
    return judged(make_runs(2000, broken=120, fixed=80, rewritten=600, wrong=300), LENIENT)


def labelled(runs, path, **options):
    return compare_labelled(runs.old, runs.new, path, **{"judge": "judge", **options})


def test_a_lenient_judge_does_not_pass_what_it_would_have_passed(sheet):
    runs = lenient_runs()
    path = runs.fill(sheet(runs, 300))
    policy = Policy(max_nfr="0.059", max_accuracy_loss="0.001", judge="judge")
    alone = check_gate(compare_runs(runs.old, runs.new), policy)
    assert alone.outcome == "PASS"
    assert "decided by the judge 'judge' alone, whose errors no labels correct" in alone.headline
    corrected = check_gate(labelled(runs, path), policy)
    assert corrected.outcome != "PASS"
    assert "judge 'judge': lenient on NEW (p = " in corrected.headline


@pytest.mark.parametrize("rates", [LENIENT, NOISY, USELESS])
@pytest.mark.parametrize("by_judge", [False, True])
def test_intervals_hold_the_truth_and_are_never_wider_than_those_of_labels(sheet, rates, by_judge):
    runs = judged(make_runs(2000, broken=120, fixed=80, rewritten=600, wrong=300), rates)
    path = runs.fill(sheet(runs, 300, judge="judge" if by_judge else None))
    corrected, alone = labelled(runs, path), labelled(runs, path, judge=None)
    for rate, truth in {"negative_flip_rate": 0.06, "accuracy_change": -0.02}.items():
        low, high = corrected.bounds(rate).ends
        before = alone.bounds(rate).ends
        assert low <= truth <= high
        assert high - low <= 1.02 * (before.high - before.low)
        assert corrected.bounds(rate).method == "judge-corrected Gaffke"


def test_a_judge_that_errs_alike_on_both_models_is_not_called_lenient(sheet):
    runs = judged(make_runs(2000, broken=120, fixed=80, rewritten=600, wrong=300), NOISY)
    found = labelled(runs, runs.fill(sheet(runs, 300)))
    assert "no difference shown between its errors on OLD and on NEW" in found.judge_finding
    assert "judge" not in check_gate(found, Policy(max_nfr="0.2")).headline


def test_a_strict_judge_is_called_strict_and_the_sides_are_not_mistaken(sheet):
    runs = judged(make_runs(2000, broken=120, fixed=80, rewritten=600, wrong=300), LENIENT[::-1])
    found = labelled(runs, runs.fill(sheet(runs, 300)))
    assert "strict on NEW" in found.judge_finding


def test_sensitivity_and_specificity_of_each_model_in_text_and_data(sheet):
    runs = lenient_runs()
    path = runs.fill(sheet(runs, 300))
    found = labelled(runs, path)
    data = found.to_dict()["judge"]
    assert data["old"]["sensitivity"]["value"] == pytest.approx(0.9, abs=0.08)
    assert data["new"]["specificity"]["value"] == pytest.approx(0.6, abs=0.15)
    low, high = data["new"]["specificity"]["interval"]
    assert low < 0.6 < high
    assert data["lenient_on_new"]["p_value"] < 0.05
    assert "NEW: wrong, called wrong" in str(found)
    assert "the judge alone: NFR" in str(found)
    assert labelled(runs, path, judge=None).to_dict()["judge"] is None


def test_graded_scores_need_a_threshold_and_give_the_same(sheet):
    runs = lenient_runs()
    graded = judged(
        make_runs(2000, broken=120, fixed=80, rewritten=600, wrong=300), LENIENT, graded=True
    )
    path = runs.fill(sheet(runs, 200))
    with pytest.raises(UsageError, match="say which are right with --threshold"):
        labelled(graded, path)
    ours = labelled(graded, path, threshold=0.5)
    assert ours.bounds("negative_flip_rate") == labelled(runs, path).bounds("negative_flip_rate")
    assert "judge >= 0.5" in ours.signature


def test_items_without_a_verdict_are_a_cell_of_their_own(sheet):
    runs = lenient_runs()
    path = runs.fill(sheet(runs, 200))
    records = [replace(one, scores={}) if k % 7 == 3 else one for k, one in enumerate(runs.new)]
    found = labelled(runs._replace(new=Run(tuple(records), "new")), path)
    assert found.to_dict()["judge"]["unknown"] == 286
    assert "286 items without its verdict" in str(found)
    low, high = found.bounds("negative_flip_rate").ends
    assert low < 0.06 < high


def test_few_labels_decide_without_the_judge():
    few = Outcomes(900, negative=1, both_right=24)
    cells = ((0, Outcomes(100, negative=1)), (0, Outcomes(800, both_right=24)))
    sample = LabelSample((few,), Outcomes(100), cells=cells)
    assert sample.assisted("negative") is None
    more = LabelSample(
        (few._replace(both_right=29),),
        Outcomes(100),
        cells=(cells[0], (0, Outcomes(800, both_right=29))),
    )
    assert more.assisted("negative") is not None
    # All items that differ are labelled: nothing is left for a judge to say.
    whole = Outcomes(40, negative=4, both_right=36)
    assert LabelSample((whole,), Outcomes(60), cells=((0, whole),)).assisted("negative") is None


@pytest.mark.parametrize("options", [{"judge": "quality"}, {"judge": None, "threshold": 0.5}])
def test_a_judge_that_is_not_there_is_refused(sheet, options):
    runs = lenient_runs()
    with pytest.raises(UsageError, match="--judge"):
        labelled(runs, runs.fill(sheet(runs, 60)), **options)


def test_a_policy_that_names_another_judge_is_refused(sheet):
    runs = lenient_runs()
    path = runs.fill(sheet(runs, 60))
    for found in (
        labelled(runs, path),
        labelled(runs, path, judge=None),
        compare_runs(runs.old, runs.new),
    ):
        with pytest.raises(UsageError, match="expected a comparison by the scores of the judge"):
            check_gate(found, Policy(max_nfr="0.2", judge="another"))


GREENEST_FIRST = ["PASS", "INCONCLUSIVE", "FAIL", "INVALID"]
RUNS = judged(make_runs(500, broken=20, fixed=20, rewritten=60), LENIENT)


@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10**6), broken=st.integers(0, 30), limit=st.sampled_from(["0.03", "0.1"])
)
def test_no_label_that_gets_worse_turns_a_corrected_verdict_greener(tmp_path, seed, broken, limit):
    path = tmp_path / f"{seed}-{broken}.csv"
    plan_labels(RUNS.old, RUNS.new, budget=70, seed=seed).write(path)
    rows, random = read(path), np.random.default_rng(seed)
    of_old = {one.id: one.prediction for one in RUNS.old}
    differing = [row for row in rows if row["answer_a"] != row["answer_b"]]
    for row in rows:
        row["right_a"] = row["right_b"] = "yes"

    def set_broken(row):
        sides = ("yes", "no") if row["answer_a"] == of_old[row["item"]] else ("no", "yes")
        row["right_a"], row["right_b"] = sides

    order = random.permutation(len(differing))
    for place in order[:broken]:
        set_broken(differing[place])
    ranks = []
    for change in (lambda row: None, set_broken, lambda row: row.update(right_a="?", right_b="?")):
        changed = dict(differing[order[broken]])
        change(changed)
        write(path, [changed if row is differing[order[broken]] else row for row in rows])
        policy = Policy(max_nfr=limit, max_accuracy_loss=limit)
        ranks.append(GREENEST_FIRST.index(check_gate(labelled(RUNS, path), policy).outcome))
    assert all(ranks[0] <= rank or min(ranks[0], rank) >= 2 for rank in ranks[1:])
