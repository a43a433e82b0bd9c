"""Messages about scores, comparisons and chains in memory."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.answers.flip_matrix import flip_matrix
from muscle_metrics.comparison.candidates import compare_candidates
from muscle_metrics.comparison.chains import compare_chain, count_chain
from muscle_metrics.comparison.compare import compare, compare_runs
from muscle_metrics.comparison.consistency import consistency
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.scoring import score_flips
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.flips.magnitudes import Magnitude, MeanChange
from muscle_metrics.gate.check import check_gate
from muscle_metrics.gate.policy import Policy
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.slices.find import find_slices

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.comparison.comparison import Comparison

WATCHED = [
    "comparison/candidates",
    "comparison/chains",
    "flips/changes",
    "comparison/compare",
    "comparison/comparison",
    "comparison/consistency",
    "comparison/keyed",
    "comparison/metrics",
    "comparison/pass_rates",
    "comparison/worst",
    "gate/prompt_limits",
    "flips/magnitudes",
    "comparison/scoring",
    "answers/flip_matrix",
    "slices/find",
]

measure = partial(measure_changes, old=[0.5, 0.9], new=[0.6, 0.2])
compare_all = partial(compare, old=["A", "B"], new=["A", "C"], references=["A", "B"])
alike = partial(consistency, old=["A", "B"], new=["A", "C"], metrics=["exact_match"])
chain = partial(count_chain, versions=[["A"], ["B"]], references=["A"])
GRADED = Run((Record("1", scores={"f1": 0.5}),), "old")
JUDGED = Run((Record("1", scores={"em": 1.0}),), "old")
UNSCORED = Run((Record("1", "A", "A"),), "new")
MOVES = np.full(12, 0.25)


def gated(comparison: Comparison | None = None, **limits: Any) -> object:
    """Judge a graded score, whose range is not known."""
    policy = Policy(max_nfr="0.99", max_mean_regression="0.5", **limits)
    return check_gate(comparison or compare_runs(GRADED, GRADED), policy)


RATED = Run(tuple(Record(f"q{i}", scores={"rate": i / 5}) for i in range(3)), "old")
REPEATED = Run(tuple(Record("q1", "A", "A", repeat=take) for take in "12"), "old")


def rated(run: Run = RATED, samples: Any = 5, **options: Any) -> object:
    return compare_runs(run, replace(run, name="new"), samples=samples, **options)


def of_prompts(run: Run = REPEATED, **limits: Any) -> object:
    policy = Policy(max_nfr="0.5", **limits)
    return check_gate(compare_runs(run, replace(run, name="new")), policy)


def counted_repeats() -> object:
    found = compare_runs(REPEATED, replace(REPEATED, name="new"))
    totals = Totals.of(found)
    counted = CountedComparison(
        names=found.names, totals=totals, dropped={}, recipe={}, is_repeated=True
    )
    return counted.to_text(flips=1)


CASES: dict[str, Callable[[], object]] = {
    "prompts: k without a limit": lambda: of_prompts(pass_k=2),
    "prompts: a limit without k": lambda: of_prompts(max_flap_rate="0.1"),
    "prompts: one generation that flaps": lambda: of_prompts(max_flap_rate="0.1", pass_k=1),
    "prompts: too few generations": lambda: of_prompts(max_pass_at_k_loss="0.1", pass_k=3),
    "prompts: no repeats": lambda: of_prompts(UNSCORED, max_pass_hat_k_loss="0.1", pass_k=1),
    "prompts: an engine lists flips": counted_repeats,
    "samples: one": lambda: rated(samples=1),
    "samples: no recorded score": lambda: rated(UNSCORED),
    "samples: a threshold": lambda: rated(threshold=0.5),
    "samples: another range": lambda: rated(score_range=(0, 10)),
    "samples: no multiples": lambda: rated(samples=4),
    "samples: a limit on answers": lambda: check_gate(
        rated(), Policy(max_nfr="0.5", max_conditional_nfr="0.1")
    ),
    "samples: repeats": lambda: rated(
        Run(tuple(Record("q1", scores={"rate": 0.2}, repeat=take) for take in "12"), "old")
    ),
    "samples: lower is better": lambda: rated(replace(RATED, lower_is_better=frozenset({"rate"}))),
    "candidates: none": lambda: compare_candidates(UNSCORED, {}),
    "candidates: the name of the old run": lambda: compare_candidates(
        UNSCORED, {"new": replace(UNSCORED, name="v2")}
    ),
    "candidates: references of the last": lambda: compare_candidates(
        UNSCORED, {"a": UNSCORED, "b": UNSCORED}, conflict="last"
    ),
    "candidates: an old run that two references judge": lambda: compare_candidates(
        Run((Record("1", "A"),), "old"),
        {"a": UNSCORED, "b": Run((Record("1", "A", "B"),), "b")},
        conflict="own",
    ),
    "candidates: items of an unknown one": lambda: compare_candidates(
        Run((Record("1", "A", "A"),), "old"), {"a": UNSCORED}
    ).broken_only_by("b"),
    "find slices: an engine": lambda: find_slices(
        CountedComparison(
            names=("v1", "v2"), totals=Totals.of(compare_all()), dropped={}, recipe={}
        )
    ),
    "find slices: graded scores": lambda: find_slices(compare_runs(GRADED, GRADED)),
    "find slices: values in a list": lambda: find_slices(
        compare_all(),
        fields={"level": [1, 2]},  # type: ignore[dict-item]
    ),
    "find slices: values of other items": lambda: find_slices(
        compare_all(), fields={"level": {"q1": 1}}
    ),
    "gate: answers that are not recorded": lambda: gated(max_nfr_mc="0.995"),
    "gate: changed answers behind verdicts": lambda: check_gate(
        compare_runs(JUDGED, JUDGED), Policy(max_churn="0.995")
    ),
    "gate: answers behind verdicts": lambda: check_gate(
        compare_runs(JUDGED, JUDGED), Policy(max_nfr="0.99", max_nfr_mc="0.995")
    ),
    "gate: mean regression of answers": lambda: gated(comparison=compare_all()),
    "gate: mean regression without a range": gated,
    "gate: weights of another slice": lambda: gated(max_weighted_nfr="0.9", weights={"law": 2}),
    "scores: negative tie": lambda: measure(tie=-1),
    "scores: infinite minimum effect": lambda: measure(minimum_effect=float("inf")),
    "scores: a table": lambda: measure(old=[[0.5, 0.9]]),
    "scores: text": lambda: measure(new=["0.5", "0.9"]),
    "scores: nothing": lambda: measure(old=[]),
    "scores: two bytes each": lambda: measure(new=np.array([0.5, 0.9], np.float16)),
    "scores: percent": lambda: measure(old=[50, 90]),
    "scores: undefined": lambda: measure(new=[0.5, float("nan")]),
    "scores: other lengths": lambda: measure(new=[0.5]),
    "magnitudes: confidence as percentage": lambda: Magnitude(MOVES, limit=1.0).interval(95),
    "magnitudes: unknown side": lambda: MeanChange(MOVES).interval(side="left"),
    "scoring: other lengths": lambda: score_flips(old=["a"], new=["a", "b"], references=["a"]),
    "scoring: no text": lambda: score_flips(old=[1], new=["a"], references=["a"]),
    "consistency: a similarity out of range": lambda: alike(similar=70),
    "consistency: options that nothing uses": lambda: alike(options={"bleu": {}}),
    "consistency: no metric": lambda: alike(metrics=[]),
    "consistency: no references": lambda: alike().rate("same", "negative"),
    "consistency: unknown agreement": lambda: alike().rate("alike"),
    "consistency: unknown quadrant": lambda: alike(references=["A", "B"]).rate("same", "worse"),
    "turns: open answers": lambda: flip_matrix(old=["A", "B"], new=["B", "C"], most_answers=2),
    "compare: a key that tells nothing apart": lambda: compare_all(key=bool),
    "compare: a key that leaves nothing": lambda: compare_all(key=lambda _: ""),
    "compare: repeated ids": lambda: compare_all(ids=["q1", "q1"]),
    "compare: other number of slices": lambda: compare_all(slices=["law"]),
    "compare: threshold without scores": lambda: compare_all(threshold=0.5),
    "compare: unknown metric": lambda: compare_all(metric="rouge"),
    "comparison: unknown quadrant": lambda: compare_all().flips("worse"),
    "comparison: graded": lambda: compare_runs(GRADED, GRADED).counts,
    "metrics: none": lambda: compare_all(metric=[]),
    "metrics: two of one name": lambda: compare_all(
        metric=[lambda predictions, _: [1.0] * 2, lambda predictions, _: [0.0] * 2]
    ),
    "metrics: one metric twice": lambda: compare_all(
        metric=["rouge1", "rouge1(stem=true)"], options={"rouge1": {"stem": True}}
    ),
    "metrics: options of another": lambda: compare_all(options={"rouge1": {"stem": True}}),
    "metrics: options of a misspelt one": lambda: compare_all(
        metric="rouge1", options={"rogue1": {"stem": True}}
    ),
    "metrics: options of a recorded score": lambda: compare_runs(
        GRADED, GRADED, metric="f1", options={"f1": {"average": "macro"}}
    ),
    "metrics: options that are no mapping": lambda: compare_all(options={"exact_match": "strip"}),
    "metrics: strictness without a threshold": lambda: compare_all(strict_threshold=True),
    "metrics: threshold outside the range": lambda: compare_all(metric="rouge1", threshold=50),
    "metrics: threshold that all reach": lambda: compare_all(metric="chrf", threshold=0),
    "metrics: tie of verdicts": lambda: compare_all(tie=0.1),
    "metrics: range without scores": lambda: compare_all(score_range=(0, 1)),
    "metrics: range upside down": lambda: compare_runs(GRADED, GRADED, score_range=(1, 0)),
    "metrics: range too wide": lambda: compare_runs(GRADED, GRADED, score_range=(-1e308, 1e308)),
    "metrics: score outside the range": lambda: compare_runs(GRADED, GRADED, score_range=(1, 5)),
    "metrics: key without answers": lambda: compare_runs(GRADED, GRADED, key=str.strip),
    "metrics: scores of one run": lambda: compare_runs(
        Run((Record("1", "A", "A", {"f1": 0.5}),), "old"), UNSCORED
    ),
    "metrics: a log without scores": lambda: compare_runs(
        replace(UNSCORED, name="old"), replace(UNSCORED, is_log=True)
    ),
    "metrics: misspelt recorded score": lambda: compare_runs(GRADED, GRADED, metric="f2"),
    "chain: a scorer of texts": lambda: compare_chain([UNSCORED, UNSCORED], metric="rouge1"),
    "chain: one version": lambda: chain(versions=[["A"]]),
    "chain: names": lambda: chain(names=["v1", "v1"]),
    "chain: one run": lambda: compare_chain([GRADED]),
    "chain: graded": lambda: compare_chain([GRADED, GRADED]),
}
