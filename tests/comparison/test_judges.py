"""Who judged, where it is known and never guessed; and other verdicts on equal answers."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec

import pytest

from muscle_metrics import Policy, Record, Run, UsageError, check_gate, compare, compare_runs
from muscle_metrics.comparison.judges import judge_note, recorded_metrics, split_note

ALONE = "alone, whose errors no labels correct"


def run_of(verdicts, name="v1", texts=None, **about):
    records = [
        Record(f"项目-{k}", texts[k] if texts else f"答 {k}", f"答 {k}", {"judge": float(one)})
        for k, one in enumerate(verdicts)
    ]
    return Run(tuple(records), name, about)


def test_a_judge_is_known_by_the_policy_or_by_the_run_and_not_by_a_name():
    plain, known = run_of([1, 0, 1]), run_of([1, 0, 1], judge="judge-large, prompt 4")
    assert judge_note(compare_runs(plain, plain)) is None
    assert f"the judge 'judge' {ALONE}" in judge_note(compare_runs(plain, plain), "judge")
    assert f"the judge 'judge-large, prompt 4' {ALONE}" in judge_note(compare_runs(known, known))


def test_answers_that_references_judge_are_no_verdicts_of_the_judge_that_the_run_names():
    known = run_of([1, 0, 1], judge="judge-large")
    by_answers = compare_runs(known, known, metric="exact_match")
    assert recorded_metrics(by_answers) == []
    assert judge_note(by_answers) is None
    assert recorded_metrics(compare(old=["A"], new=["B"], references=["A"])) == []


@pytest.mark.parametrize(
    "options", [{}, {"threshold": 0.5}, {"threshold": 0.5, "strict_threshold": True}]
)
def test_the_note_is_in_the_first_line_of_a_verdict(options):
    run = run_of([1] * 99)
    found = check_gate(compare_runs(run, run, **options), Policy(max_nfr="0.2", judge="judge"))
    assert ALONE in found.headline
    assert (
        ALONE not in check_gate(compare_runs(run, run, **options), Policy(max_nfr="0.2")).headline
    )


@pytest.mark.parametrize("judge", ["", 7, True])
def test_a_policy_names_a_judge_by_text(judge):
    with pytest.raises(UsageError, match="expected the name of a recorded score as --judge"):
        Policy(max_nfr="0.2", judge=judge)


def split_runs():
    """40 items; of 37 equal answers 4 got other verdicts, and 3 answers changed."""
    old = [k % 3 != 0 for k in range(40)]
    new = [one != (k in {5, 17, 30, 31, 6}) for k, one in enumerate(old)]
    texts = [f"答 {k}" if k not in {6, 8, 9} else "другой" for k in range(40)]
    return run_of(old, "old"), run_of(new, "new", texts)


def test_equal_answers_with_different_verdicts_are_counted():
    comparison = compare_runs(*split_runs())
    assert split_note(comparison).startswith("4 of 37 equal answers got different verdicts")
    assert "4 of 37 equal answers" in str(comparison)
    assert comparison.counts.negative + comparison.counts.positive == 5
    assert "4 of 37 equal answers" in check_gate(comparison, Policy(max_nfr="0.5")).headline


def test_verdicts_alone_and_equal_verdicts_say_nothing():
    old, new = split_runs()
    silent = [
        Run(tuple(replace(one, prediction=None) for one in run), run.name) for run in (old, new)
    ]
    assert split_note(compare_runs(*silent)) is None
    assert split_note(compare_runs(old, replace(old, name="new"))) is None


# The core is tested without extras too.
@pytest.mark.skipif(find_spec("duckdb") is None, reason="DuckDB is behind an extra")
def test_an_engine_counts_the_same(tmp_path):
    from muscle_metrics.scale import compare_files

    paths = []
    for run in split_runs():
        path = tmp_path / f"{run.name}.jsonl"
        rows = ({"id": r.id, "prediction": r.prediction, **r.scores} for r in run)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        paths.append(path)
    options = {"prediction_field": "prediction", "score_field": "judge"}
    counted = compare_files(*paths, old_options=options, new_options=options)
    assert split_note(counted) == split_note(compare_runs(*split_runs()))
    assert judge_note(counted, "judge") == judge_note(compare_runs(*split_runs()), "judge")
