from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import Policy, check_gate, compare, compare_runs
from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.evidence.rates import accuracy_loss, independent_rate, rate
from muscle_metrics.evidence.repeats import repeated_rate
from muscle_metrics.evidence.scores import weighted_rate
from muscle_metrics.evidence.units import Units
from muscle_metrics.gate.criteria import list_criteria
from muscle_metrics.gate.criterion import Criterion
from muscle_metrics.gate.pins import judge_pins
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale import CountedComparison, Totals

OLD, NEW = "AABBCCDDAB", "ABBACDDDCC"
REFERENCES = "AABBDDDDBB"


def example(**columns):
    """The worked example of the definitions: 10 items, 3 broken, 1 fixed, 1 changed and wrong."""
    return compare(old=list(OLD), new=list(NEW), references=list(REFERENCES), **columns)


def graded(old, new, metric="rouge", **options):
    """Two runs that recorded nothing but a score per item."""
    runs = [
        Run(tuple(Record(str(i), scores={metric: s}) for i, s in enumerate(scores)), name)
        for name, scores in (("old", old), ("new", new))
    ]
    return compare_runs(*runs, score_range=(0, 1), **options)


def repeated(old, new, repeats, **labels):
    """Runs of prompts that get so many of their generations right; labels by prompt."""
    runs = []
    for name, rights in (("old", old), ("new", new)):
        records = [
            Record(
                id=f"q{prompt}",
                repeat=str(number),
                prediction="A" if number < right else "B",
                reference="A",
                **{label: values[prompt] for label, values in labels.items()},
            )
            for prompt, right in enumerate(rights)
            for number in range(repeats)
        ]
        runs.append(Run(tuple(records), name))
    return compare_runs(*runs)


def bounds(evidence):
    return evidence.estimate, evidence.lower(0.95), evidence.upper(0.95), evidence.sample


def rate_over(flags, labels, unit):
    return rate(Units.of(flags, labels, unit))


def evidence_of(comparison, name, **policy):
    found = {c.name: c.observed for c in list_criteria(comparison, Policy(max_nfr=0.5, **policy))}
    return bounds(found[name])


# One criterion per limit


def test_the_flip_rate_is_always_limited():
    (criterion,) = list_criteria(example(), Policy(max_nfr="0.4"))
    assert criterion.name == "negative flip rate"
    assert criterion.limit == Fraction(2, 5)
    assert criterion.is_share
    assert bounds(criterion.observed) == bounds(independent_rate(3, 10))


def test_criteria_stand_in_the_order_of_a_reader():
    runs = [
        Run(
            tuple(
                Record(str(i), x[i], REFERENCES[i], {"rouge": i / 10 + worse}, "math", "xy"[i % 2])
                for i in range(10)
            ),
            name,
        )
        for name, x, worse in (("old", OLD, 0.05), ("new", NEW, 0.0))
    ]
    comparison = compare_runs(*runs, metric=["exact_match", "rouge"], score_range=(0, 1))
    policy = Policy(
        max_nfr="0.5",
        max_accuracy_loss="0.4",
        max_nfr_mc="0.6",
        max_flip_rate="0.8",
        max_churn="0.9",
        max_accuracy_change="0.95",
        max_weighted_nfr="0.55",
        weights={"y": 2},
        max_mean_regression="0.3",
        metrics={"rouge": "0.45"},
        protected=("x",),
        slices={"y": "0.65"},
        tasks={"math": "0.7"},
    )
    criteria = list_criteria(comparison, policy)
    assert [(criterion.name, str(float(criterion.limit))) for criterion in criteria] == [
        ("negative flip rate", "0.5"),
        ("accuracy loss", "0.4"),
        ("inconsistency flip rate", "0.6"),
        ("flip rate", "0.8"),
        ("churn", "0.9"),
        ("accuracy change (loss)", "0.95"),
        ("accuracy change (gain)", "0.95"),
        ("severity-weighted negative flip rate", "0.55"),
        ("mean regression of rouge", "0.3"),
        ("negative flip rate by rouge", "0.45"),
        ("negative flip rate of slice x", "0.5"),
        ("negative flip rate of slice y", "0.65"),
        ("negative flip rate of task math", "0.7"),
    ]
    assert [criterion.is_share for criterion in criteria] == [True] * 8 + [False] + [True] * 4


def test_rates_of_the_worked_example():
    comparison = example(slices=list("xxxxxyyyyy"))
    loss = evidence_of(comparison, "accuracy loss", max_accuracy_loss=0.1)
    assert loss == bounds(accuracy_loss(comparison.counts))
    assert loss[0] == pytest.approx(0.2)
    mixed = evidence_of(comparison, "inconsistency flip rate", max_nfr_mc=0.5)
    assert mixed == bounds(independent_rate(4, 10))
    slices = evidence_of(comparison, "negative flip rate of slice x", protected=("x",))
    assert slices == bounds(independent_rate(2, 5))
    weighted = evidence_of(
        comparison,
        "severity-weighted negative flip rate",
        max_weighted_nfr=0.5,
        weights={"y": 3},
    )
    flags = np.isin(np.arange(10), [1, 3, 9])
    expected = weighted_rate(flags, np.array([1.0] * 5 + [3.0] * 5))
    assert weighted == bounds(expected)
    assert weighted[0] == 0.25


def test_items_without_a_slice_weigh_1():
    comparison = example(slices=["x"] * 5 + [None] * 5)
    weighted = evidence_of(
        comparison, "severity-weighted negative flip rate", max_weighted_nfr=0.5, weights={"x": 4}
    )
    assert weighted[0] == (4 + 4 + 1) / 25


def test_an_item_may_weigh_more_or_less_than_its_slice():
    comparison = example(slices=["x"] * 5 + ["y"] * 5)
    weighted = evidence_of(
        comparison,
        "severity-weighted negative flip rate",
        max_weighted_nfr=0.5,
        weights={"x": 4},
        item_weights={"1": 0.5, "9": 8},
    )
    weights = np.array([4, 0.5, 4, 4, 4, 1, 1, 1, 1, 8])
    assert weighted == bounds(weighted_rate(NEGATIVE, weights))
    assert weighted[0] == (0.5 + 4 + 8) / 28.5


def test_a_criterion_is_broken_by_its_lower_bound_at_the_level_asked_for():
    evidence = independent_rate(6, 100)
    at = {alpha: evidence.lower(1 - alpha) for alpha in (0.05, 0.01)}
    assert at[0.01] < 0.02 < at[0.05]
    criterion = Criterion("NFR", Fraction(1, 50), evidence, evidence)
    assert criterion.is_broken_at(0.05)
    assert not criterion.is_broken_at(0.01)


def test_a_bound_on_the_limit_does_not_break_it():
    evidence = independent_rate(6, 100)
    limit = Fraction(evidence.lower(0.95))
    assert not Criterion("NFR", limit, evidence, evidence).is_broken_at(1 - 0.95)
    assert Criterion("NFR", limit - Fraction(1, 10**30), evidence, evidence).is_broken_at(1 - 0.95)


# Graded scores


OLD_SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
NEW_SCORES = [0.8, 0.8, 0.75, 0.3, 0.5, 0.0]


def test_without_verdicts_a_worse_score_is_a_flip():
    comparison = graded(OLD_SCORES, NEW_SCORES)
    severity = {"max_weighted_nfr": 0.5, "weights": {"None": 2}}
    weighted = "severity-weighted negative flip rate"
    assert evidence_of(comparison, weighted, **severity)[0] == 0.5
    assert evidence_of(comparison, weighted, minimum_effect=0.1, **severity)[0] == 1 / 3
    name = "negative flip rate by rouge"
    assert evidence_of(comparison, name) == bounds(independent_rate(3, 6))
    assert evidence_of(comparison, name, minimum_effect=0.1) == bounds(independent_rate(2, 6))
    assert evidence_of(comparison, name, minimum_effect=0.35) == bounds(independent_rate(1, 6))


def test_the_larger_minimum_effect_counts():
    comparison = graded(OLD_SCORES, NEW_SCORES, minimum_effect=0.2)
    name = "negative flip rate by rouge"
    assert evidence_of(comparison, name) == bounds(independent_rate(2, 6))
    assert evidence_of(comparison, name, minimum_effect=0.1) == bounds(independent_rate(2, 6))
    assert evidence_of(comparison, name, minimum_effect=0.3) == bounds(independent_rate(1, 6))


def test_lower_scores_may_be_better():
    comparison = graded(OLD_SCORES, NEW_SCORES)
    changes = {"rouge": replace(comparison.changes["rouge"], higher_is_better=False)}
    turned = replace(comparison, changes=changes)
    assert evidence_of(turned, "negative flip rate by rouge") == bounds(independent_rate(1, 6))


def test_the_metric_named_first_has_the_flips():
    records = [
        tuple(Record(str(i), scores={"a": a, "b": 0.5 - worse}) for i, a in enumerate(scores))
        for scores, worse in ((OLD_SCORES, 0.0), (NEW_SCORES, 0.1))
    ]
    runs = [Run(rows, name) for rows, name in zip(records, ("old", "new"), strict=True)]
    comparison = compare_runs(*runs, metric=["a", "b"], score_range=(0, 1))
    policy = Policy(max_nfr=0.5, metrics={"b": 0.5})
    flips, budget = list_criteria(comparison, policy)
    assert (flips.name, flips.observed.estimate) == ("negative flip rate by a", 0.5)
    assert (budget.name, budget.observed.estimate) == ("negative flip rate by b", 1.0)


def test_with_a_threshold_scores_are_right_or_wrong():
    comparison = graded(OLD_SCORES, NEW_SCORES, threshold=0.35)
    assert evidence_of(comparison, "negative flip rate") == bounds(independent_rate(2, 6))
    budget = {"metrics": {"rouge": 0.5}}
    by_score = evidence_of(comparison, "negative flip rate by rouge", **budget)
    assert by_score == bounds(independent_rate(3, 6))


def test_a_mean_regression_needs_material_losses():
    comparison = graded([0.9] * 40, [0.8] * 20 + [0.4] * 20)
    limits = {"max_mean_regression": 0.5}
    estimate, *_, sample = evidence_of(comparison, "mean regression of rouge", **limits)
    assert (estimate, sample) == (pytest.approx(0.3), "40 items regressed")
    estimate, *_, sample = evidence_of(
        comparison, "mean regression of rouge", minimum_effect=0.2, **limits
    )
    assert (estimate, sample) == (pytest.approx(0.5), "20 items regressed")


# Units that are drawn together


GROUPS = list("ppqqrrsstt")
NEGATIVE, INCONSISTENT = (np.isin(np.arange(10), rows) for rows in ([1, 3, 9], [1, 3, 8, 9]))


def test_items_of_a_group_are_judged_together():
    comparison = example(groups=GROUPS, slices=list("xxxxyyyyyy"))
    rate = evidence_of(comparison, "negative flip rate")
    assert rate == bounds(rate_over(NEGATIVE, GROUPS, "groups"))
    assert rate != bounds(independent_rate(3, 10))
    mixed = evidence_of(comparison, "inconsistency flip rate", max_nfr_mc=0.5)
    assert mixed == bounds(rate_over(INCONSISTENT, GROUPS, "groups"))
    piece = evidence_of(comparison, "negative flip rate of slice x", protected=("x",))
    assert piece == bounds(rate_over(NEGATIVE[:4], GROUPS[:4], "groups"))
    loss = evidence_of(comparison, "accuracy loss", max_accuracy_loss=0.5)
    assert loss[3] == "10 items in 5 groups (few: bounds are rough)"
    severity = {"max_weighted_nfr": 0.5, "weights": {"x": 2}}
    weighted = evidence_of(comparison, "severity-weighted negative flip rate", **severity)
    weights = np.array([2.0] * 4 + [1.0] * 6)
    assert weighted == bounds(weighted_rate(NEGATIVE, weights, GROUPS, "groups"))


def test_an_item_without_a_group_stands_alone():
    comparison = example(groups=["p", "p", *[None] * 8])
    alone = ["p", "p", *range(8)]
    expected = bounds(rate_over(NEGATIVE, alone, "groups"))
    assert evidence_of(comparison, "negative flip rate") == expected


def test_a_group_may_have_an_empty_name():
    comparison = example(groups=["", "", *[None] * 8])
    assert "in 9 groups" in evidence_of(comparison, "negative flip rate")[3]


def test_mean_regressions_of_a_group_are_judged_together():
    rows = [Record(str(i), scores={"s": 0.9}, group=str(i // 4)) for i in range(80)]
    worse = [replace(row, scores={"s": 0.4 + i / 200}) for i, row in enumerate(rows)]
    comparison = compare_runs(Run(tuple(rows), "old"), Run(tuple(worse), "new"), score_range=(0, 1))
    found = evidence_of(comparison, "mean regression of s", max_mean_regression=0.5)
    assert found[3] == "80 items regressed in 20 groups (few: bounds are rough)"


def test_repeats_are_judged_by_what_exceeds_their_noise():
    old, new = [4, 3, 4, 0, 1, 4], [4, 3, 0, 0, 2, 1]
    comparison = repeated(old, new, 4, slice=list("xxxyyy"))
    right = [np.concatenate([np.arange(4) < k for k in side]) for side in (old, new)]
    correctness, prompts = Correctness(*right, None), list(np.repeat(np.arange(6), 4))
    rate = evidence_of(comparison, "negative flip rate")
    assert rate == bounds(repeated_rate(correctness, prompts))
    piece = evidence_of(comparison, "negative flip rate of slice x", slices={"x": 0.8})
    half = correctness.take(np.arange(12))
    assert piece == bounds(repeated_rate(half, prompts[:12]))
    adjusted = evidence_of(comparison, "negative flip rate", noise_adjusted_pass=True)
    assert adjusted == bounds(repeated_rate(correctness, prompts, noise_adjusted_pass=True))
    assert adjusted != rate
    loss = evidence_of(comparison, "accuracy loss", max_accuracy_loss=0.5)
    assert loss[3] == "24 items in 6 prompts (few: bounds are rough)"


def test_repeats_of_grouped_prompts_count_their_groups():
    old, new = [4, 3, 4, 0, 1, 4], [4, 3, 0, 0, 2, 1]
    labels = ["p", "p", None, "q", None, "q"]
    found = evidence_of(repeated(old, new, 4, group=labels), "negative flip rate")
    right = [np.concatenate([np.arange(4) < k for k in side]) for side in (old, new)]
    groups = np.repeat(["p", "p", "2", "q", "4", "q"], 4).tolist()
    prompts = list(np.repeat(np.arange(6), 4))
    assert found == bounds(repeated_rate(Correctness(*right, None), prompts, groups))
    assert "6 prompts in 4 groups" in found[3]


def test_one_generation_with_a_number_is_no_repeat():
    comparison = repeated([1, 1, 1, 0], [1, 0, 1, 0], 1)
    assert evidence_of(comparison, "negative flip rate") == bounds(independent_rate(1, 4))


def test_every_prompt_needs_two_generations():
    runs = []
    for name in ("old", "new"):
        numbers = [("a", "0"), ("a", "1"), ("b", "0")]
        records = [Record(i, "A", "A", repeat=repeat) for i, repeat in numbers]
        runs.append(Run(tuple(records), name))
    with pytest.raises(InputError, match="expected at least 2 generations of every prompt"):
        list_criteria(compare_runs(*runs), Policy(max_nfr="0.9"))


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("inconsistency flip rate", {"max_nfr_mc": 0.5}),
        (
            "severity-weighted negative flip rate",
            {"max_weighted_nfr": 0.5, "weights": {"x": 2}},
        ),
    ],
)
def test_rates_whose_noise_is_not_told_apart_never_fail(name, policy):
    old, new = [5] * 30, [0] * 30
    estimate, low, high, sample = evidence_of(
        repeated(old, new, 5, slice=["x"] * 30), name, **policy
    )
    assert (estimate, low, high) == (1, 0, 1)
    assert "in 30 prompts" in sample


def test_graded_repeats_never_fail_either():
    records = {
        name: tuple(Record(f"q{i // 3}", scores={"s": score}, repeat=str(i % 3)) for i in range(90))
        for name, score in (("old", 0.9), ("new", 0.1))
    }
    runs = [Run(rows, name) for name, rows in records.items()]
    comparison = compare_runs(*runs, score_range=(0, 1))
    criteria = list_criteria(comparison, Policy(max_nfr=0.5, max_mean_regression=0.5))
    assert [c.observed.estimate for c in criteria] == [1, pytest.approx(0.8)]
    assert [c.observed.lower(0.95) for c in criteria] == [0, 0]
    assert [c.observed.units for c in criteria] == [30, 30]


# Pinned items


def pins(comparison, *ids):
    return judge_pins(comparison, Policy(max_nfr=0.5, pinned=frozenset(ids))).broken


def test_pinned_items_break_by_a_negative_flip():
    everything = [str(i) for i in range(10)]
    assert pins(example(), *everything) == ("1", "3", "9")
    assert pins(example(), "9", "3", "4", "5", "8") == ("3", "9")
    assert pins(example(), "0", "nowhere") == ()
    assert pins(example()) == ()


def test_pinned_items_break_by_a_material_regression_of_a_graded_score():
    comparison = graded(OLD_SCORES, NEW_SCORES)
    assert pins(comparison, *"012345") == ("0", "3", "5")
    policy = Policy(max_nfr=0.5, pinned=frozenset("012345"), minimum_effect=0.2)
    assert judge_pins(comparison, policy).broken == ("3", "5")


def test_an_id_is_pinned_in_every_task():
    runs = [
        Run(
            tuple(Record("1", x, "A", task=task) for task, x in zip("abc", answers, strict=True)),
            name,
        )
        for name, answers in (("old", "AAB"), ("new", "BBB"))
    ]
    assert pins(compare_runs(*runs), "1") == ("1",)


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [(5, 0, True), (3, 2, True), (3, 3, False), (2, 0, False), (5, 3, False), (0, 5, False)],
)
def test_a_repeated_item_breaks_when_most_generations_do(old, new, breaks):
    comparison = repeated([5, old], [5, new], 5)
    assert pins(comparison, "q0", "q1") == (("q1",) if breaks else ())


@pytest.mark.parametrize(("old", "new"), [(2, 0), (4, 2)])
def test_half_of_the_generations_are_not_most(old, new):
    assert pins(repeated([4, old], [4, new], 4), "q1") == ()


@pytest.mark.parametrize(("worse", "broken"), [(1, ()), (2, ()), (3, ("q",))])
def test_a_repeated_score_breaks_when_most_generations_do(worse, broken):
    rows = [Record("q", scores={"s": 0.9}, repeat=str(i)) for i in range(4)]
    changed = [replace(row, scores={"s": 0.1}) if i < worse else row for i, row in enumerate(rows)]
    comparison = compare_runs(Run(tuple(rows), "old"), Run(tuple(changed), "new"))
    assert pins(comparison, "q") == broken


# Limits that are refused


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            {"slices": {"z": 0.5}},
            r"expected a slice that the runs have, got 'z' in the policy: there is 'x', 'y'$",
        ),
        ({"protected": ("z",)}, "expected a slice that the runs have, got 'z'"),
        ({"tasks": {"z": 0.5}}, "expected a task that the runs have, got 'z' .*: there is none$"),
        ({"metrics": {"z": 0.5}}, "expected a metric that was compared, got 'z' .*: there is none"),
        (
            {"max_mean_regression": 0.5},
            "^expected a graded score for max_mean_regression, got right and wrong answers: name "
            "a score with --score-field, or drop max_mean_regression$",
        ),
        (
            {"max_weighted_nfr": 0.5, "weights": {"z": 2, "x": 2}},
            r"^expected weights of slices that the runs have, got 'z': drop these weights$",
        ),
        (
            {"max_weighted_nfr": 0.5, "item_weights": {"q": 2, "1": 2}},
            r"^expected weights of items that the runs have, got 'q': drop these weights$",
        ),
    ],
)
def test_a_policy_names_what_is_there(policy, message):
    with pytest.raises(UsageError, match=message):
        list_criteria(example(slices=list("xxxxxyyyyy")), Policy(max_nfr="0.5", **policy))


def test_a_metric_that_was_not_compared_is_told_from_those_that_were():
    with pytest.raises(UsageError, match=r"got 'bleu' in the policy: there is 'rouge'$"):
        list_criteria(
            graded(OLD_SCORES, NEW_SCORES), Policy(max_nfr="0.5", metrics={"bleu": "0.5"})
        )


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_changed_wrong_answers_are_known_from_answers_only(threshold):
    comparison = graded(OLD_SCORES, NEW_SCORES, threshold=threshold)
    message = (
        r"^expected recorded answers for --max-nfr-mc \(max_nfr_mc\) and --max-churn "
        r"\(max_churn\), got verdicts or scores only: which answers changed is not known; record "
        r"answers, or drop the limit$"
    )
    with pytest.raises(InputError, match=message):
        list_criteria(comparison, Policy(max_nfr="0.5", max_nfr_mc="0.5"))


@pytest.mark.parametrize("groups", [None, list("ppqqrr")])
def test_accuracy_needs_verdicts(groups):
    comparison = graded(OLD_SCORES, NEW_SCORES)
    if groups:
        comparison = replace(comparison, table=replace(comparison.table, groups=tuple(groups)))
    with pytest.raises(UsageError, match="expected a threshold that makes graded scores right"):
        list_criteria(comparison, Policy(max_nfr="0.5", max_accuracy_loss="0.5"))


def test_a_mean_regression_needs_the_range_of_its_score():
    runs = [
        Run(tuple(Record(str(i), scores={"s": s}) for i in range(20)), str(s)) for s in (0.9, 0.1)
    ]
    with pytest.raises(UsageError, match=r"expected the range of 's' .*--score-range"):
        list_criteria(compare_runs(*runs), Policy(max_nfr="0.5", max_mean_regression="0.5"))


# Counts instead of items: the same criteria


def counted(comparison, **parts):
    return CountedComparison(
        names=comparison.names, totals=Totals.of(comparison), dropped={}, recipe={}, **parts
    )


def update(seed, number=400, **columns):
    draw = np.random.default_rng(seed)
    answers = [draw.choice(list("ABC"), number).tolist() for _ in range(2)]
    # Half of the new answers equal the old ones, and A is right most of the time.
    new = [a if keep else b for a, b, keep in zip(*answers, draw.random(number) < 0.5, strict=True)]
    references = draw.choice(list("AAAB"), number).tolist()
    return compare(old=answers[0], new=new, references=references, **columns)


def checks(comparison, policy):
    return [
        (c.criterion, c.outcome, pytest.approx(c.estimate), pytest.approx(c.low, abs=1e-12),
         pytest.approx(c.high, abs=1e-12), c.limit, c.sample, c.advice)
        for c in check_gate(comparison, policy).checks
    ]  # fmt: skip


POLICY = Policy(
    max_nfr="0.2",
    max_accuracy_loss="0.1",
    max_nfr_mc="0.3",
    max_flip_rate="0.4",
    max_churn="0.5",
    max_accuracy_change="0.1",
    slices={"x": "0.25"},
    protected=("y",),
)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["independent", "groups", "some in groups"]))
def test_counts_are_judged_like_items(seed, kind):
    draw = np.random.default_rng(seed)
    columns = {"slices": draw.choice(["x", "y"], 400).tolist()}
    if kind != "independent":
        columns["groups"] = [f"g{n}" for n in draw.integers(0, 60, 400)]
    if kind == "some in groups":
        columns["groups"] = [g if n % 3 else None for n, g in enumerate(columns["groups"])]
    comparison = update(seed, **columns)
    assert checks(counted(comparison), POLICY) == checks(comparison, POLICY)
    correctness = [check_gate(c, POLICY) for c in (comparison, counted(comparison))]
    assert correctness[0].outcome == correctness[1].outcome


def test_graded_scores_are_judged_by_their_counts():
    texts = {"old": ["a b", "c d"] * 50, "new": ["a b", "c x"] * 50, "references": ["a b"] * 100}
    comparison = compare(**texts, metric=["rouge1", "chrf"])
    policy = Policy(max_nfr="0.6", metrics={"chrf": "0.7"})
    assert checks(counted(comparison), policy) == checks(comparison, policy)
    with pytest.raises(UsageError, match="threshold"):
        check_gate(counted(comparison), replace(policy, max_accuracy_loss="0.1"))
    judged = compare(**texts, metric="rouge1", threshold=0.5)
    whole = replace(policy, metrics={"rouge1": "0.7"}, max_accuracy_loss="0.5")
    assert checks(counted(judged), whole) == checks(judged, whole)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_mean_regression": "0.1"},
        {"max_weighted_nfr": "0.1", "weights": {"x": 2.0}},
        {"pinned": frozenset({"1"})},
        {"tasks": {"math": "0.1"}},
        {"slices": {"z": "0.1"}},
        {"protected": ("z",)},
        {"metrics": {"rouge1": "0.1"}},
    ],
)
def test_what_only_items_tell_is_refused(limits):
    with pytest.raises(UsageError, match="expected"):
        check_gate(counted(update(1, slices=["x"] * 400)), Policy(max_nfr="0.5", **limits))


def test_repeats_unknown_answers_and_smaller_effects_are_refused():
    comparison = update(2)
    with pytest.raises(UsageError, match="repeats"):
        check_gate(counted(comparison, is_repeated=True), Policy(max_nfr="0.5"))
    correctness = comparison.correctness
    assert correctness is not None
    silent = replace(comparison, correctness=correctness._replace(changed=None))
    with pytest.raises(InputError, match="record answers"):
        check_gate(counted(silent), Policy(max_nfr="0.5", max_nfr_mc="0.5"))
    graded = compare(old=["a b"] * 99, new=["a c"] * 99, references=["a b"] * 99, metric="rouge1")
    with pytest.raises(UsageError, match="minimum effect"):
        check_gate(counted(graded), Policy(max_nfr="0.5", minimum_effect=0.1))
    with pytest.raises(UsageError, match="groups"):
        check_gate(counted(graded, is_grouped=True), Policy(max_nfr="0.5"))
