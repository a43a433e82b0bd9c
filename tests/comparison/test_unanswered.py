"""A missing answer or score counts as the worst score of its metric: null is not the text ""."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, UsageError, compare, compare_chain, compare_runs
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.scorers import SCORERS, Scorer, resolve_scorer

if TYPE_CHECKING:
    from pathlib import Path

# TER counts edits per 100 words of the reference, so a long answer to one word has 900 and more.
WORST = 5000.0
# The last reference is accepted by the empty text, which a null answer is not.
REFERENCES = ["the cat sat", "пять красных домов", "我 今天 去 上海", "a", ""]
TEXTS = ["the cat sat", "два дома", "", "b " * 40, "we do not know"]
ITEMS = range(len(TEXTS))


def _overlap(predictions: Any, references: Any) -> np.ndarray[Any, Any]:
    pairs = zip(predictions, references, strict=True)
    return np.array([2.0 * (text == reference) - 1 for text, reference in pairs])


def _overlap_both(old: Any, new: Any, references: Any, **_: Any) -> Any:
    return _overlap(old, references), _overlap(new, references)


def options_of(name: str) -> dict[str, Any]:
    """Score texts of any script: whether a metric reads them is tested elsewhere."""
    reads_all = name in {"exact_match", "chrf", "chrf++", "bertscore"}
    return {} if reads_all else {name: {"unread": "score"}}


def range_of(name: str) -> dict[str, Any]:
    """The range of a missing score, for scorers without one of their own."""
    has_range = math.isfinite(SCORERS[name].high - SCORERS[name].low)
    return {} if has_range else {"score_range": (0, WORST)}


def threshold_of(name: str, share: float) -> float:
    """A threshold inside the range of a scorer."""
    high = SCORERS[name].high
    return share * (high if math.isfinite(high) else WORST / 2)


def scorer_of(name: str) -> Scorer:
    """A scorer of the table; an encoder is replaced by a comparison of texts on its scale."""
    if name != "bertscore":
        return resolve_scorer(name, **options_of(name).get(name, {}))
    return replace(SCORERS[name], function=_overlap, both=_overlap_both, load=None)


def run_of(answers: list[str | None], name: str) -> Run:
    return Run(tuple(Record(str(n), answers[n], REFERENCES[n]) for n in range(len(answers))), name)


def write(path: Path, run: Run) -> Path:
    rows = [{"id": r.id, "prediction": r.prediction, "reference": r.reference} for r in run.records]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("position", ITEMS)
@pytest.mark.parametrize("name", sorted(set(SCORERS) - {"exact_match"}))
def test_no_text_scores_worse_than_no_answer(name: str, position: int) -> None:
    answers: list[str | None] = [*TEXTS]
    answers[position] = None
    changes = compare_runs(
        run_of([*TEXTS], "old"),
        run_of(answers, "new"),
        metric=["exact_match", scorer_of(name)],
        unanswered="wrong",
        **range_of(name),
    ).changes
    scores = changes[name]
    sign = 1 if scores.higher_is_better else -1
    assert (sign * scores.new[position] <= sign * scores.old).all()
    others = np.arange(len(TEXTS)) != position
    assert (scores.new[others] == scores.old[others]).all()


@pytest.mark.parametrize("name", sorted(set(SCORERS) - {"exact_match", "bertscore"}))
def test_the_engine_gives_the_same_scores(tmp_path: Path, name: str) -> None:
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    from muscle_metrics.scale import Totals, compare_files

    old, new = run_of([*TEXTS[:4], None], "old"), run_of([*TEXTS[:2], None, "x", None], "new")
    options: dict[str, Any] = {
        "metric": name,
        "options": options_of(name),
        "unanswered": "wrong",
        "threshold": threshold_of(name, 0.01),
        **range_of(name),
    }
    compared = compare_runs(old, new, **options)
    found = Totals.of(compared)
    paths = (write(tmp_path / f"{run.name}.jsonl", run) for run in (old, new))
    counted = compare_files(*paths, **options).totals
    assert (counted.scores, counted.cells) == (found.scores, found.cells)
    assert not compared.correctness.new_right[[2, 4]].any()


@pytest.mark.parametrize("silent", ["old", "new"])
def test_a_run_without_any_answer_changed_every_answer(silent: str, tmp_path: Path) -> None:
    """As the engine counts it: an answer against none is another one."""
    answers: dict[str, list[str | None]] = {"old": [*TEXTS[:2]], "new": [*TEXTS[:2]]}
    answers[silent] = [None, None]
    runs = [run_of(answers[name], name) for name in ("old", "new")]
    counts = compare_runs(*runs, unanswered="wrong").counts
    assert (counts.both_right_changed, counts.wrong_changed) == (0, 1)
    assert counts.negative + counts.positive == 1
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    from muscle_metrics.scale import compare_files

    paths = (write(tmp_path / f"{run.name}.jsonl", run) for run in runs)
    assert compare_files(*paths, unanswered="wrong").counts == counts


@given(
    st.lists(st.sampled_from([*TEXTS, None]), min_size=5, max_size=5),
    st.sampled_from(ITEMS),
    st.sampled_from(sorted(set(SCORERS) - {"exact_match", "bertscore"})),
    st.sampled_from([0.01, 0.5, 1.0]),
)
def test_leaving_an_item_unanswered_never_raises_its_score(answers, position, name, share):
    old, silenced = run_of([*TEXTS], "old"), [*answers]
    silenced[position] = None
    options = {"metric": name, "unanswered": "wrong", "options": options_of(name), **range_of(name)}
    threshold = threshold_of(name, share)
    before, after = (
        compare_runs(old, run_of(new, "new"), threshold=threshold, **options)
        for new in (answers, silenced)
    )
    assert after.changes[name].gains[position] <= before.changes[name].gains[position]
    assert after.counts.negative >= before.counts.negative
    assert not after.correctness.new_right[position]


def test_a_reference_that_the_empty_text_matches() -> None:
    old = Run((Record("1", "x", "x"), Record("2", None, "")), "old")
    new = Run((Record("1", "x", "x"), Record("2", "", "")), "new")
    fixed = compare_runs(old, new, metric="token_f1", unanswered="wrong", threshold=1)
    broken = compare_runs(new, old, metric="token_f1", unanswered="wrong", threshold=1)
    assert (fixed.counts.positive, fixed.counts.negative) == (1, 0)
    assert (broken.counts.positive, broken.counts.negative) == (0, 1)


def test_an_item_that_both_models_leave_unanswered_did_not_change() -> None:
    runs = run_of(["the cat sat", None], "old"), run_of(["the cat sat", None], "new")
    found = compare_runs(*runs, metric="chrf", unanswered="wrong", threshold=1)
    assert (found.changes["chrf"].tied, found.counts.both_wrong) == (2, 1)


def test_columns_of_answers() -> None:
    columns = {"old": ["", "b"], "new": [None, "b"], "references": ["", "b"]}
    found = compare(**columns, metric="token_f1", missing="wrong", threshold=1)
    assert (found.counts.negative, found.counts.both_right) == (1, 1)
    with pytest.raises(UsageError, match="--score-range LOW HIGH"):
        compare(**columns, metric="ter", missing="wrong")
    graded = compare(**columns, metric="ter", missing="wrong", score_range=(0, 300))
    assert graded.changes["ter"].new.tolist() == [300, 0]


def test_a_scorer_never_sees_a_missing_answer() -> None:
    seen: list[str] = []

    def length(predictions: Any, references: Any) -> list[int]:
        seen.extend(predictions)
        return [len(text) for text in predictions]

    runs = run_of(["one", None, None], "old"), run_of(["four", "two", None], "new")
    changes = compare_runs(*runs, metric=length, unanswered="wrong", score_range=(0, 10)).changes
    (scores,) = changes.values()
    assert (scores.old.tolist(), scores.new.tolist()) == ([3, 0, 0], [4, 3, 0])
    assert set(seen) == {"one", "four", "two"}


@pytest.mark.parametrize("metric", ["ter", lambda texts, _: [1.0] * len(texts)])
def test_a_scorer_without_a_worst_score_is_refused(metric: Any) -> None:
    runs = run_of(["a", "b"], "old"), run_of(["a", None], "new")
    with pytest.raises(UsageError, match=r"--score-range LOW HIGH .* --unanswered drop"):
        compare_runs(*runs, metric=metric, unanswered="wrong")
    assert compare_runs(*runs, metric=metric, unanswered="drop").dropped == {"unanswered": 1}


def test_a_text_metric_needs_answers_beside_recorded_scores() -> None:
    records = (Record("1", "a", "a", {"judge": 1.0}), Record("2", None, "a", {"judge": 1.0}))
    runs = Run(records, "old"), Run(records, "new")
    assert compare_runs(*runs).counts.both_right == 2
    for metric in ("exact_match", "token_f1", ["judge", "token_f1"]):
        with pytest.raises(Exception, match="1 of 2 predictions null in old"):
            compare_runs(*runs, metric=metric)


# Recorded scores


def scored(values: list[float | bool | None], name: str, **more: Any) -> Run:
    records = (
        Record(str(n), scores={} if value is None else {"judge": value})
        for n, value in enumerate(values)
    )
    return Run(tuple(records), name, **more)


def test_a_missing_verdict_is_wrong() -> None:
    old, new = scored([True, True, None, None], "old"), scored([True, None, True, None], "new")
    counts = compare_runs(old, new, unanswered="wrong").counts
    assert (counts.negative, counts.positive) == (1, 1)
    assert (counts.both_right, counts.both_wrong) == (1, 1)
    with pytest.raises(Exception, match=r"2 of 4 items without a score in old .*: --unanswered wr"):
        compare_runs(old, new)


def test_a_missing_verdict_of_an_error_is_an_error() -> None:
    better = {"lower_is_better": frozenset({"judge"})}
    old, new = scored([False, False], "old", **better), scored([False, None], "new", **better)
    counts = compare_runs(old, new, unanswered="wrong").counts
    assert (counts.both_right, counts.negative) == (1, 1)


def test_a_missing_graded_score_is_the_worse_end_of_the_range() -> None:
    old, new = scored([7.0, 3.0], "old"), scored([7.5, None], "new")
    with pytest.raises(UsageError, match=r"worst score of 'judge'.*--score-range LOW HIGH"):
        compare_runs(old, new, unanswered="wrong")
    found = compare_runs(old, new, unanswered="wrong", score_range=(1, 10))
    assert found.changes["judge"].new.tolist() == [7.5, 1]
    lower = {"lower_is_better": frozenset({"judge"})}
    found = compare_runs(
        scored([7.0, 3.0], "old", **lower),
        scored([7.5, None], "new", **lower),
        unanswered="wrong",
        score_range=(1, 10),
    )
    assert found.changes["judge"].new.tolist() == [7.5, 10]


@pytest.mark.parametrize("threshold", [1.0, 5.0])
def test_a_missing_score_is_never_right(threshold: float) -> None:
    old, new = scored([7.0, 3.0], "old"), scored([7.5, None], "new")
    found = compare_runs(
        old, new, unanswered="wrong", score_range=(1, 10), threshold=threshold
    ).correctness
    assert found is not None
    assert not found.new_right[1]


def test_a_task_without_any_score_is_refused() -> None:
    rows = [Record("1", scores={"acc": 1.0}, task="a"), Record("1", task="b")]
    runs = Run(tuple(rows), "old", is_log=True), Run(tuple(rows), "new", is_log=True)
    with pytest.raises(UsageError, match="a score in every task of 'old', got none in 'b'"):
        compare_runs(*runs, unanswered="wrong")


def test_an_item_that_lacks_the_metric_among_others() -> None:
    complete = Record("1", scores={"f1": 0.0, "em": 1.0})
    runs = [Run((complete, Record("2", scores={"f1": 0.0})), name) for name in ("old", "new")]
    with pytest.raises(Exception, match=r"a score 'em' for every item .* --unanswered wrong"):
        compare_runs(*runs, metric="em")
    counts = compare_runs(*runs, metric="em", unanswered="wrong").counts
    assert (counts.both_right, counts.both_wrong) == (1, 1)


def test_a_chain() -> None:
    runs = [scored([1.0, value], str(n)) for n, value in enumerate((1.0, None, 1.0))]
    steps = compare_chain(runs, unanswered="wrong").steps
    assert [(step.negative, step.positive) for step in steps] == [(1, 0), (0, 1)]
    runs = [scored([5.0, value], str(n)) for n, value in enumerate((5.0, None, 5.0))]
    chosen: dict[str, Any] = {"unanswered": "wrong", "threshold": 4.0}
    steps = compare_chain(runs, score_range=(1.0, math.inf), **chosen).steps
    assert [(step.negative, step.positive) for step in steps] == [(1, 0), (0, 1)]


@pytest.mark.parametrize("metric", [None, "judge"])
def test_a_baseline_keeps_what_is_missing(metric: str | None) -> None:
    run = scored([4.0, None], "old")
    kept = make_baseline(run, metric=metric, unanswered="wrong")
    assert [dict(record.scores) for record in kept] == [{"judge": 4.0}, {}]
    with pytest.raises(Exception, match="1 of 2 items without a score"):
        make_baseline(run, metric=metric)
