"""Several verdicts of a judge on one answer: one of them counts, and they are no generations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from muscle_metrics import InputError, Policy, Record, Run, check_gate, compare_runs, read_run
from muscle_metrics.runs.judge_repeats import settle_verdicts


def rows(verdicts, *, first=0):
    """Rows of items named in another script; each item has a tuple of verdicts."""
    return [
        {"id": f"вопрос-{k}", "take": take, "prediction": f"текст {k}", "judge": verdict}
        for k, found in enumerate(verdicts, start=first)
        for take, verdict in enumerate(found)
    ]


def settled(verdicts, how="majority"):
    return read_run(rows(verdicts), score_field="judge", judge_repeats=how)


def test_most_verdicts_count_or_their_share():
    verdicts = [(1, 1, 1), (0, 1, 0), (1, 0, 1)]
    assert [one.scores["judge"] for one in settled(verdicts)] == [1, 0, 1]
    shares = [one.scores["judge"] for one in settled(verdicts, "share")]
    assert shares == pytest.approx([1, 1 / 3, 2 / 3])


@pytest.mark.parametrize("how", ["majority", "share"])
@pytest.mark.parametrize("left", [(1, None, None), (1, 1, None), (1,), (None, 1)])
def test_a_verdict_that_is_lost_leaves_none(how, left):
    """The others would outvote it: 60 items that broke by two of three verdicts would be right."""
    old = settled([(1, 1, 1)] * 300, how)
    broken = compare_runs(old, settled([(1, 1, 1)] * 240 + [(1, 0, 0)] * 60, how), threshold=0.5)
    assert check_gate(broken, Policy(max_nfr="0.05")).outcome == "FAIL"
    lost = settled([(1, 1, 1)] * 240 + [left] * 60, how)
    with pytest.raises(InputError, match="60 of 300 items without a score"):
        compare_runs(old, lost, threshold=0.5)
    for unanswered, outcome in [("wrong", "FAIL"), ("drop", "INVALID")]:
        found = compare_runs(old, lost, threshold=0.5, unanswered=unanswered)
        assert check_gate(found, Policy(max_nfr="0.05")).outcome == outcome


def test_fewer_verdicts_of_every_answer_are_not_compared():
    old, new = settled([(1, 1, 1)] * 300), settled([(1, 1)] * 300)
    found = check_gate(compare_runs(old, new), Policy(max_nfr="0.05"))
    assert found.outcome == "INVALID"
    assert "judge_repeats differs: 'majority of 3' before, 'majority of 2' now" in str(found)


def test_a_baseline_holds_settled_verdicts():
    old = settled([(1, 1, 1)] * 3)
    assert settle_verdicts(old, "majority") is old


def test_where_the_judge_changed_its_mind_is_said():
    old = settled([(1, 1, 1), (0, 1, 0), (1, 0, 1)])
    assert (
        old.fingerprint["judge_noise"] == "2 of 3 answers with several verdicts got different ones"
    )
    new = replace(settled([(1, 1, 1), (0, 0, 0), (1, 1, 1)]), name="новый")
    found = check_gate(compare_runs(old, new), Policy(max_nfr="0.9"))
    assert "in run 'новый' 0 of 3 answers" in found.headline
    assert "their majority of 3 counts" in found.headline


def test_runs_that_were_not_judged_as_often_are_not_compared():
    old = settled([(1, 1, 1)] * 200)
    once = read_run(rows([(1,)] * 200), score_field="judge")
    found = check_gate(compare_runs(old, once), Policy(max_nfr="0.1"))
    assert found.outcome == "INVALID"
    assert "judge_repeats differs: 'majority of 3' before, not recorded now" in str(found)


def test_generations_keep_their_repeats():
    """Two generations of a prompt, each judged three times."""
    records = [
        Record("вопрос", f"{take}", repeat=f"{take}", scores={"judge": float(verdict)})
        for take, verdicts in enumerate([(1, 1, 0), (0, 0, 1)])
        for verdict in verdicts
    ]
    run = settle_verdicts(Run(tuple(records), "v1"), "majority")
    assert [(one.repeat, one.scores["judge"]) for one in run] == [("0", 1), ("1", 0)]


def test_null_verdicts_leave_none():
    run = settled([(1, 1, 1), (None, 1, None), (None, None, None)])
    assert [one.scores.get("judge") for one in run] == [1, None, None]


@pytest.mark.parametrize(
    ("verdicts", "how", "message"),
    [
        ([(1, 1), (1, 0)], "majority", "got 1 of each: judge once more"),
        ([(1, 1, 1), (0.5, 0.2, 0.9)], "majority", "take their mean with --judge-repeats share"),
        ([(1,), (0,)], "majority", "got each of 2 rows once"),
    ],
)
def test_verdicts_that_do_not_settle_are_refused(verdicts, how, message):
    with pytest.raises(InputError, match=message):
        settled(verdicts, how)


@pytest.mark.parametrize("field", ["prediction", "reference", "slice", "prompt"])
def test_rows_of_one_id_that_are_no_verdicts_on_one_answer_are_refused(field):
    found = list(read_run(rows([(1, 1, 1), (0, 1, 0)]), score_field="judge").records)
    found[4] = replace(found[4], **{field: "другой"})
    with pytest.raises(InputError, match=f"expected one {field} of 'вопрос-1' in 'v'"):
        settle_verdicts(Run(tuple(found), "v"), "majority")


def test_repeated_ids_without_the_option_are_refused():
    once = read_run(rows([(1, 1), (1, 1)]), score_field="judge")
    with pytest.raises(InputError, match="--judge-repeats"):
        compare_runs(once, replace(once, name="new"))
