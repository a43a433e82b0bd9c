"""One meaning per name, and no option without an effect: in memory, over chains, by an engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import InputError, MuscleMetricsError, Record, Run, UsageError, compare
from muscle_metrics.comparison.baseline import make_baseline, match_baseline
from muscle_metrics.comparison.chains import compare_chain
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.comparison.metrics import Recorded, choose_metrics
from muscle_metrics.scale import Choices, compare_files
from muscle_metrics.scorers import SCORERS, resolve_scorer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def log(name: str, *records: Record) -> Run:
    return Run(records, name, is_log=True)


def sums(*right: float, answer: str = "4") -> tuple[Record, ...]:
    """Items of a task that records exact_match; the answers say otherwise."""
    return tuple(
        Record(str(i), f"so {answer}", "#### 4", {"exact_match": value}, task="gsm8k")
        for i, value in enumerate(right)
    )


def prompts(*right: float) -> tuple[Record, ...]:
    """Items of a task that records another score."""
    return tuple(
        Record(f"p{i}", "text", "text", {"prompt_level_strict_acc": value}, task="ifeval")
        for i, value in enumerate(right)
    )


# A recorded score comes before a scorer of its name


def test_a_recorded_score_is_never_regraded_by_text() -> None:
    old, new = log("v1", *sums(1, 1, 0)), log("v2", *sums(1, 0, 1))
    for metric in (None, "exact_match"):
        counts = compare_runs(old, new, metric=metric).counts
        assert (counts.both_right, counts.negative, counts.positive) == (1, 1, 1)
    assert "metric recorded exact_match;" in compare_runs(old, new).signature


@pytest.mark.parametrize("metric", ["exact_match", "prompt_level_strict_acc"])
def test_a_task_without_the_score_is_refused_whatever_its_name(metric: str) -> None:
    old = log("v1", *sums(1, 1), *prompts(1, 1))
    new = log("v2", *sums(1, 0), *prompts(1, 1))
    with pytest.raises(UsageError, match=rf"{metric}' in every task .* --metric gsm8k="):
        compare_runs(old, new, metric=metric)
    with pytest.raises(UsageError, match="in every task"):
        compare_chain([old, new, new], metric=metric)
    with pytest.raises(UsageError, match="in every task"):
        make_baseline(old, metric=metric)
    # Each task by its own score.
    assert compare_runs(old, new).counts.negative == 1


@pytest.mark.parametrize("name", ["exact_match", "quasi_exact_match"])
def test_an_item_without_the_score_is_refused_whatever_its_name(name: str) -> None:
    def run(label: str, last: dict[str, float]) -> Run:
        scored = [Record(str(i), "A", "A", {name: 1.0, "f1": 1.0}) for i in range(5)]
        return log(label, *scored, Record("9", "A", "B", last))

    whole, short = run("v1", {name: 0.0, "f1": 0.5}), run("v2", {"f1": 0.5})
    with pytest.raises(InputError, match=rf"{name}' for every item of 'v2', got none for 1 of 6"):
        compare_runs(whole, short, metric=name)
    with pytest.raises(InputError, match="of 'v2', got none for 1 of 6"):
        compare_runs(short, whole, metric=name)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("name", ["exact_match", "rouge1", "acc"])
def test_a_score_of_one_run_is_no_score_of_the_other(name: str, swapped: bool) -> None:
    scored = Run(tuple(Record(str(i), "A", "A", {name: 1.0}) for i in range(3)), "scored")
    plain = Run(tuple(Record(str(i), "B", "A") for i in range(3)), "plain")
    runs = (plain, scored) if swapped else (scored, plain)
    with pytest.raises(UsageError, match=f"'{name}' in every run, got none in 'plain'"):
        compare_runs(*runs, metric=name)
    with pytest.raises(UsageError, match=r"in every run or in none.*'scored' and not in 'plain'"):
        compare_runs(*runs)


def test_other_names_of_scores_are_listed_and_suggested() -> None:
    runs = [log(name, *prompts(1, 0)) for name in ("v1", "v2")]
    with pytest.raises(UsageError, match=r"prompt_level_strict_acc.*did you mean 'prompt_level_s"):
        compare_runs(*runs, metric="prompt_level_strict")
    with pytest.raises(UsageError, match="got only 'f1' in 'v3'"):
        compare_runs(
            runs[0],
            log("v3", *(Record(r.id, "text", "text", {"f1": 1.0}, task="ifeval") for r in runs[0])),
            metric="prompt_level_strict_acc",
        )


def test_without_recorded_scores_the_name_means_the_scorer() -> None:
    old, new = (
        Run((Record("1", "A", "A"), Record("2", answer, "B")), answer) for answer in ("B", "C")
    )
    counts = compare_runs(old, new, metric="exact_match").counts
    assert (counts.both_right, counts.negative) == (1, 1)


def test_verdicts_of_a_baseline_stand_beside_answers() -> None:
    old = Run((Record("1", "a", "A"), Record("2", "B", "B")), "v1")
    new = Run((Record("1", "A", "A"), Record("2", "x", "B")), "v2")
    baseline, matched = match_baseline(make_baseline(old, key=str.upper), new, key=str.upper)
    counts = compare_runs(baseline, matched, metric="exact_match", key=str.upper).counts
    assert (counts.both_right, counts.negative) == (1, 1)
    assert counts == compare_runs(baseline, matched, key=str.upper).counts
    with pytest.raises(UsageError, match="options of exact_match beside 'v1'"):
        compare_runs(
            baseline, matched, metric="exact_match", options={"exact_match": {"strip": True}}
        )


def test_a_baseline_of_a_log_keeps_what_the_log_recorded() -> None:
    baseline = make_baseline(log("v1", *sums(1, 0, 1)), metric="exact_match")
    assert [record.scores["exact_match"] for record in baseline] == [1, 0, 1]
    assert baseline.fingerprint["judging"] == "score exact_match"
    plain = Run(tuple(Record(str(i), "4", "4", task="gsm8k") for i in range(3)), "v2")
    with pytest.raises(UsageError, match="got none in 'v2'"):
        compare_runs(baseline, plain, metric="exact_match")
    with pytest.raises(UsageError, match="--key"):
        make_baseline(log("v1", *sums(1, 0)), key=str.strip)


# Options that nothing uses


TEXTS: dict[str, Any] = {
    "old": ["The answer is (A).", "The answer is (B)."],
    "new": ["The answer is (A).", "The answer is (C)."],
    "references": ["A", "B"],
}


def texts_as_runs() -> list[Run]:
    return [
        Run(
            tuple(
                Record(str(i), text, reference)
                for i, (text, reference) in enumerate(
                    zip(TEXTS[name], TEXTS["references"], strict=True)
                )
            ),
            name,
        )
        for name in ("old", "new")
    ]


def by_columns(**options: Any) -> Any:
    return compare(**TEXTS, **options)


def by_runs(**options: Any) -> Any:
    return compare_runs(*texts_as_runs(), **options)


@pytest.fixture
def by_engine(tmp_path: Path) -> Callable[..., Any]:
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    files = []
    for run in texts_as_runs():
        files.append(tmp_path / f"{run.name}.jsonl")
        rows = [{"id": r.id, "prediction": r.prediction, "reference": r.reference} for r in run]
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return lambda **options: compare_files(files[0], files[1], **options)


both_ways = pytest.mark.parametrize("call", [by_columns, by_runs])


@both_ways
def test_exact_match_takes_its_options(call: Callable[..., Any]) -> None:
    plain = call(metric="exact_match")
    assert plain.counts.both_wrong == 2
    extracted = call(metric="exact_match", options={"exact_match": {"extract": "choice"}})
    assert (extracted.counts.both_right, extracted.counts.negative) == (1, 1)
    assert "metric exact_match(extract=choice);" in extracted.signature
    # A scorer with its options bound says the same.
    bound = call(metric=resolve_scorer("exact_match", extract="choice"))
    assert bound.counts == extracted.counts
    assert bound.signature == extracted.signature


def test_changed_is_about_the_extracted_answers() -> None:
    columns = {
        "old": ["I say (A)", "(B) it is", None, "no letter", "(D)"],
        "new": ["The answer is A", "(C) now", "", "none either", "nothing"],
        "references": ["A", "B", "A", "A", "D"],
    }
    options = {"exact_match": {"extract": "choice"}}
    comparison = compare(**columns, options=options, missing="wrong")
    assert [item.changed for item in comparison.items()] == [False, True, False, False, True]
    assert [str(item.quadrant) for item in comparison.items()] == [
        "both_right", "negative", "both_wrong", "both_wrong", "negative",
    ]  # fmt: skip


def test_an_engine_refuses_options_of_exact_match(by_engine: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"got exact_match\(extract=choice\): compare in memory"):
        by_engine(metric="exact_match", options={"exact_match": {"extract": "choice"}})


UNUSED: dict[str, tuple[dict[str, Any], str]] = {
    "options of another metric": ({"options": {"rouge1": {"stem": True}}}, "options of 'rouge1'"),
    "misspelt metric": (
        {"metric": "rouge1", "options": {"rogue1": {"stem": True}}},
        "did you mean 'rouge1'",
    ),
    "misspelt option": (
        {"metric": "rouge1", "options": {"rouge1": {"stemm": True}}},
        "did you mean 'stem'",
    ),
    "second metric's misspelt option": (
        {"metric": ["rouge1", "chrf"], "options": {"chrf": {"word_ordr": 2}}},
        "did you mean 'word_order'",
    ),
    "options that are no mapping": (
        {"metric": "rouge1", "options": {"rouge1": "stem"}},
        "write the options",
    ),
    "strictness without a threshold": (
        {"metric": "rouge1", "strict_threshold": True},
        "--strict-threshold",
    ),
    "threshold of exact match": ({"threshold": 0.5}, "--threshold"),
    "threshold behind exact match": (
        {"metric": ["exact_match", "rouge1"], "threshold": 0.5},
        "exact_match first",
    ),
    "threshold above the range": ({"metric": "rouge1", "threshold": 50.0}, "from 0 to 1"),
    "threshold below the range": ({"metric": "ter", "threshold": -1.0}, "from 0 to inf"),
    "threshold that all reach": ({"metric": "bleu", "threshold": 0}, "every item is right"),
    "threshold that none exceeds": (
        {"metric": "ter", "threshold": 0, "strict_threshold": True},
        "every item is wrong",
    ),
    "threshold of nan": ({"metric": "rouge1", "threshold": float("nan")}, "finite"),
    "tie of verdicts": ({"tie": 0.1}, "graded score for tie="),
    "effect of verdicts": ({"minimum_effect": 0.1}, "--minimum-effect"),
    "no metric": ({"metric": []}, "at least one metric"),
}


@pytest.mark.parametrize("name", UNUSED)
@both_ways
def test_what_nothing_uses_is_refused(call: Callable[..., Any], name: str) -> None:
    options, message = UNUSED[name]
    with pytest.raises(UsageError, match=message):
        call(**options)


@pytest.mark.parametrize("name", UNUSED)
def test_an_engine_refuses_it_in_the_same_words(by_engine: Callable[..., Any], name: str) -> None:
    options, _ = UNUSED[name]
    with pytest.raises(UsageError) as in_memory:
        by_runs(**options)
    with pytest.raises(UsageError) as on_engine:
        by_engine(**options)
    assert str(on_engine.value) == str(in_memory.value)


def test_a_range_needs_scores_that_lack_one(by_engine: Callable[..., Any]) -> None:
    for call in (by_runs, by_engine):
        with pytest.raises(UsageError, match="--score-range"):
            call(metric=["exact_match", "rouge1"], score_range=(0, 1))


def recorded(name: str, *scores: float, **more: Any) -> Run:
    records = (Record(f"q{i}", scores={"judge": score}, **more) for i, score in enumerate(scores))
    return Run(tuple(records), name)


def test_a_range_must_hold_every_score() -> None:
    old, new = recorded("v1", 0.1, 0.2, 0.3), recorded("v2", 0.1, 1.7, 0.2)
    with pytest.raises(InputError, match=r"of 'v2' from 0 to 1, got 1\.7 for id 'q1'"):
        compare_runs(old, new, score_range=(0, 1))
    with pytest.raises(InputError, match=r"got 1\.7 for id 'q1'"):
        compare_runs(old, new, score_range=(0, 1), threshold=0.15)
    with pytest.raises(UsageError, match="LOW below HIGH"):
        compare_runs(old, new, score_range=(1, 0))
    # Scores that are all 0 or 1 contradict a range of percentages.
    with pytest.raises(InputError, match="of 'v1' from 2 to 5"):
        compare_runs(recorded("v1", 1, 0), recorded("v2", 1, 1), score_range=(2, 5))
    with pytest.raises(UsageError, match="from 0 to 1, got 70"):
        compare_runs(old, recorded("v2", 0, 0, 0), score_range=(0, 1), threshold=70.0)


def test_options_of_a_recorded_score_are_refused() -> None:
    runs = [Run((Record("1", "a b", "a", {"rouge1": 0.5}),), name) for name in ("v1", "v2")]
    with pytest.raises(UsageError, match="no options for the recorded score 'rouge1', got 'stem'"):
        compare_runs(*runs, metric="rouge1", options={"rouge1": {"stem": True}})


def test_two_functions_of_one_name_are_told_apart_or_refused() -> None:
    def scorer(sign: int) -> Callable[..., Any]:
        return lambda predictions, references: [sign * len(p) for p in predictions]

    with pytest.raises(UsageError, match="different names"):
        by_columns(metric=[scorer(1), scorer(-1)])


def test_a_second_verdict_gives_score_changes() -> None:
    both = [Run((Record("1", "A", "A", {"ok": ok}),), f"v{ok}") for ok in (1, 0)]
    comparison = compare_runs(*both, metric=["ok", "exact_match"])
    assert comparison.counts.negative == 1
    assert comparison.changes["exact_match"].negative == 0
    swapped = compare_runs(*both, metric=["exact_match", "ok"])
    assert swapped.counts.negative == 0
    assert swapped.changes["ok"].negative == 1


def test_a_threshold_belongs_to_the_first_metric() -> None:
    runs = [
        Run((Record("1", "a b", "a b", {"judge": s}), Record("2", "a", "b", {"judge": s})), str(s))
        for s in (0.9, 0.2)
    ]
    by_text = compare_runs(*runs, metric=["rouge1", "judge"], threshold=0.5)
    assert (by_text.counts.both_right, by_text.counts.both_wrong) == (1, 1)
    assert by_text.changes["judge"].negative == 2
    assert "metric rouge1 >= 0.5, judge;" in by_text.signature
    by_score = compare_runs(*runs, metric=["judge", "rouge1"], threshold=0.5)
    assert by_score.counts.negative == 2


# The key


def strip_think(text: str) -> str:
    return text.rpartition("</think>")[2].strip()


@pytest.mark.parametrize("metric", ["exact_match", "rouge1", "chrf", "token_f1"])
def test_a_key_is_seen_by_every_metric_of_texts(metric: str) -> None:
    thought = {"old": ["x y</think> да нет", "b"], "new": ["да нет", "z</think> c"]}
    bare = {"old": ["да нет", "b"], "new": ["да нет", "c"]}
    options: dict[str, Any] = {"references": [["да нет", "k"], " b "], "metric": metric}
    if metric == "rouge1":
        options["options"] = {"rouge1": {"tokenizer": str.split}}
    keyed = compare(**thought, **options, key=strip_think)
    plain = compare(**bare, **{**options, "references": [["да нет", "k"], "b"]})
    if metric == "exact_match":
        assert keyed.counts == plain.counts
        return
    for ours, theirs in (
        (keyed.changes[metric].old, plain.changes[metric].old),
        (keyed.changes[metric].new, plain.changes[metric].new),
    ):
        assert np.array_equal(ours, theirs)
    # Readers still see what the models wrote.
    assert [item.old for item in keyed.items()] == thought["old"]


def test_a_key_of_runs_is_seen_by_metrics_of_texts() -> None:
    def run(name: str, *texts: str) -> Run:
        return Run(tuple(Record(str(i), t, "the cat sat") for i, t in enumerate(texts)), name)

    old, new = run("v1", "the cat sat", "a b</think> the cat"), run("v2", "the dog", "the cat")
    changes = compare_runs(old, new, metric="rouge1", key=strip_think).changes["rouge1"]
    assert changes.deltas.tolist() == pytest.approx([-0.6, 0.0])


def test_a_key_leaves_recorded_scores_alone_and_says_so() -> None:
    runs = [
        Run((Record("1", text, "a", {"acc": 1.0}), Record("2", text, "a", {"acc": 0.0})), text)
        for text in ("a", " A ")
    ]
    comparison = compare_runs(*runs, key=lambda text: text.strip().lower())
    assert comparison.counts.churn.count == 0
    assert "(changed answers only);" in comparison.signature
    bare = [recorded(name, 1, 0) for name in ("v1", "v2")]
    with pytest.raises(UsageError, match="answers for --key"):
        compare_runs(*bare, key=str.strip)
    with pytest.raises(UsageError, match="answers for --key"):
        compare_chain(bare, key=str.strip)


@pytest.mark.parametrize("metric", ["exact_match", "rouge1"])
def test_a_key_that_raises_names_the_item_of_the_run(metric: str) -> None:
    runs = [
        Run((Record("q1", "a: b", "b: c"), Record("q7", text, "b: c")), name)
        for name, text in (("v1", "c: d"), ("v2", "nothing"))
    ]

    def behind_colon(text: str) -> str:
        return text.split(":")[1]

    with pytest.raises(InputError, match=r"behind_colon .*IndexError.*'nothing' at id 'q7' in 'v2"):
        compare_runs(*runs, metric=metric, key=behind_colon)


# What is chosen


def test_scorers_and_recorded_scores_keep_the_order_of_the_request() -> None:
    chosen = choose_metrics(["chrf", "f1", "exact_match"], recorded=[("v1", {"f1"}), ("v2", ())])
    assert chosen == [SCORERS["chrf"], Recorded("f1"), SCORERS["exact_match"]]


def test_an_engine_chooses_as_memory_does() -> None:
    choices = Choices(metric="exact_match")
    assert choices.judging(["exact_match", "exact_match"]).by_score
    assert not choices.judging([None, None]).by_score
    for fields in (["exact_match", None], [None, "exact_match"], ["exact_match", "acc"]):
        with pytest.raises(UsageError, match="'exact_match' in every run"):
            choices.judging(fields)
    with pytest.raises(MuscleMetricsError, match="in every run or in none"):
        Choices().judging([None, "acc"])
