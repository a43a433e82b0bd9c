"""Equivalence: changes in either direction, lost items at their worst, and what every sink says."""

from __future__ import annotations

import random
from dataclasses import replace
from html import unescape
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from muscle_metrics import (
    InputError,
    Policy,
    Record,
    Run,
    UsageError,
    check_gate,
    compare,
    compare_runs,
    read_run,
)
from muscle_metrics.gate.criteria import list_criteria
from muscle_metrics.gate.notebook import verdict_html
from muscle_metrics.gate.sequential import check_growing
from muscle_metrics.reports.annotations import verdict_annotations
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_data
from muscle_metrics.scale import CountedComparison, Totals
from muscle_metrics.statistics.bounded import net_share_interval

WORDS = ["да", "нет", "أجل", "不", "A"]
ALL = {"max_flip_rate": "0.03", "max_churn": "0.04", "max_accuracy_change": "0.03"}


def run(name, answers, references, **columns):
    rows = zip(answers, references, strict=True)
    labels = [{label: x[i] for label, x in columns.items()} for i in range(len(answers))]
    return Run(tuple(Record(f"q{i}", *row, **labels[i]) for i, row in enumerate(rows)), name)


def copy_of(old, share, seed, words=WORDS):
    """The same run with a share of its answers drawn anew among the others; the first one stays."""
    rng, records = random.Random(seed), list(old.records)
    for row in rng.sample(range(1, len(records)), round(share * len(records))):
        others = [word for word in words if word != records[row].prediction]
        records[row] = replace(records[row], prediction=rng.choice(others))
    return replace(old, records=tuple(records), name="copy")


def model(items=4000, accuracy=0.7, seed=7):
    rng = random.Random(seed)
    references = [rng.choice(WORDS) for _ in range(items)]
    answers = [r if rng.random() < accuracy else rng.choice(WORDS) for r in references]
    return run("v1", answers, references)


def judged(old, new, **policy):
    return check_gate(compare_runs(old, new, missing="drop"), Policy(**policy))


def outcomes(verdict):
    return {check.criterion: str(check.outcome) for check in verdict.checks}


# A copy of one model


def test_a_copy_with_1_percent_of_answers_redrawn_is_equivalent_at_3_percent():
    old = model()
    new = copy_of(old, 0.01, seed=1)
    verdict = judged(old, new, max_flip_rate="0.03", max_churn="0.03", max_accuracy_change="0.03")
    assert verdict.headline == (
        "PASS: v1 -> copy; equivalent within 3% flips either way, 3% changed answers and 3% change "
        "of accuracy"
    )
    churn = next(check for check in verdict.checks if check.criterion == "churn")
    assert churn.sample == "40 of 4000 items"


def test_the_same_copy_is_undecided_at_1_percent_and_told_what_decides():
    old = model()
    verdict = judged(old, copy_of(old, 0.0095, seed=1), max_churn="0.01")
    assert verdict.outcome == "INCONCLUSIVE"
    assert "equivalent" not in verdict.headline
    assert "more items at this rate would decide (in about" in verdict.checks[0].advice
    assert judged(old, copy_of(old, 0.01, seed=1), max_churn="0.01").outcome == "INCONCLUSIVE"
    assert judged(old, copy_of(old, 0.02, seed=1), max_churn="0.01").outcome == "FAIL"


def test_a_real_run_with_redrawn_answers(shared):
    path = shared / "data" / "mmlu_pro" / "Meta-Llama-3-8B.jsonl.gz"
    old = read_run(path, id_field="question_id", prediction_field="pred", reference_field="answer")
    old = replace(old, records=tuple(r for r in old if isinstance(r.prediction, str)))
    new = copy_of(old, 0.01, seed=3, words="ABCDEFGHIJ")
    limits = {"max_flip_rate": "0.03", "max_churn": "0.03", "max_accuracy_change": "0.03"}
    assert judged(old, new, **limits).outcome == "PASS"
    assert judged(old, new, max_churn="0.01").outcome == "INCONCLUSIVE"


def test_flips_that_balance_keep_the_accuracy_and_break_the_flip_rate():
    references = ["да"] * 1000
    old = run("v1", ["да"] * 900 + ["нет"] * 100, references)
    # 80 items break and 80 get fixed: as accurate as before, and another model.
    new = run("v2", ["да"] * 820 + ["нет"] * 100 + ["да"] * 80, references)
    found = outcomes(judged(old, new, **ALL))
    assert found == {
        "flip rate": "FAIL",
        "churn": "FAIL",
        "accuracy change (loss)": "PASS",
        "accuracy change (gain)": "PASS",
    }


def test_a_gain_is_no_equivalence():
    references = ["да"] * 1000
    old = run("v1", ["да"] * 700 + ["нет"] * 300, references)
    new = run("v2", ["да"] * 780 + ["нет"] * 220, references)
    verdict = judged(old, new, max_accuracy_change="0.05")
    assert outcomes(verdict) == {
        "accuracy change (loss)": "PASS",
        "accuracy change (gain)": "FAIL",
    }
    assert judged(old, new, max_accuracy_loss="0.05").outcome == "PASS"
    # Without a limit on flips the first line says so, also of equivalence.
    same = judged(old, replace(old, name="v2"), max_accuracy_change="0.05")
    assert "; equivalent within 5% change of accuracy; flips over all items are not limi" in str(
        same
    )


# False equivalence at the margin, by enumeration


def passes(total, margin, most_fixed):
    """The most broken items that keep the margin, by the number of fixed ones."""

    def is_kept(lost, gained):
        found = net_share_interval(
            lost=lost, gained=gained, total=total, confidence=0.95, side="upper"
        )
        return found.high <= margin

    most, frontier = -1, []
    for gained in range(most_fixed + 1):
        while most + 1 + gained <= total and is_kept(most + 1, gained):
            most += 1
        frontier.append(min(most, total - gained))
    return np.array(frontier)


def chance_of_equivalence(most, total, *, loss, gain):
    """Chance that both one-sided tests pass, at true shares of broken and of fixed items."""
    fixed = np.arange(len(most))
    # In the other direction: the fewest broken items at which so many fixed ones keep the margin.
    least = np.searchsorted(most, fixed, side="left")
    share = loss / (1 - gain)
    within = binom.cdf(most, total - fixed, share) - binom.cdf(least - 1, total - fixed, share)
    return float(binom.pmf(fixed, total, gain) @ np.where(most >= least, within, 0))


@pytest.mark.parametrize(("total", "margin"), [(100, 0.1), (200, 0.03), (500, 0.02)])
def test_false_equivalence_at_the_margin_of_the_accuracy_is_at_most_5_percent(total, margin):
    # So many fixed items, or more, come in less than one of 10^6 samples.
    most = passes(total, margin, int(binom.isf(1e-6, total, 0.1)))
    chances = [
        chance_of_equivalence(most, total, loss=gain + margin, gain=gain)
        for gain in (0.0, 0.003, 0.01, 0.03, 0.1)
    ]
    # The bound is not wide for nothing.
    assert 0.02 < max(chances) <= 0.05
    assert chance_of_equivalence(most, total, loss=0.002, gain=0.002) > 0.5


@pytest.mark.parametrize(("limit", "items"), [("0.01", 400), ("0.03", 400), ("0.05", 200)])
def test_false_equivalence_at_the_limit_of_flips_is_at_most_5_percent(limit, items):
    # Flips of both directions are one binomial count: the largest that still passes is exact.
    for flips in range(items):
        broken = flips // 2
        old = ["A"] * (items - flips + broken) + ["B"] * (flips - broken)
        new = ["B"] * broken + ["A"] * (items - broken)
        comparison = compare(old=old, new=new, references=["A"] * items)
        assert comparison.counts.flip_rate.count == flips
        if check_gate(comparison, Policy(max_flip_rate=limit)).outcome != "PASS":
            break
    assert binom.cdf(flips - 1, items, float(limit)) <= 0.05 < binom.cdf(flips, items, float(limit))


# Items that are lost


def without(new, rows):
    return replace(new, records=tuple(r for i, r in enumerate(new) if i not in rows))


def test_each_lost_item_counts_at_its_worst_on_each_side():
    references = ["да"] * 300
    old = run("v1", ["да"] * 240 + ["нет"] * 60, references)
    lost = {5, 250, 299}
    comparison = compare_runs(old, without(replace(old, name="v2"), lost), missing="drop")
    policy = Policy(**ALL, min_coverage="0.9")
    found = {c.name: c for c in list_criteria(comparison, policy)}
    assert {name: c.observed.estimate for name, c in found.items()} == dict.fromkeys(found, 0)
    assert found["flip rate"].worst.sample == "3 of 300 items"
    assert found["churn"].worst.sample == "3 of 300 items"
    # Old got one of them right: it may have broken. Each may be a fix that old's verdict hides.
    assert found["accuracy change (loss)"].worst.estimate == pytest.approx(1 / 300)
    assert found["accuracy change (gain)"].worst.estimate == pytest.approx(3 / 300)
    ignored = Policy(**ALL, missing="ignore")
    worst = {c.name: c.worst.estimate for c in list_criteria(comparison, ignored)}
    assert worst == dict.fromkeys(found, 0)


def test_where_lost_items_decide_the_verdict_is_invalid():
    references = ["да"] * 300
    old = run("v1", ["да"] * 240 + ["нет"] * 60, references)
    # The lost items were wrong before: as broken ones they would not count at all.
    verdict = judged(
        old,
        without(replace(old, name="v2"), set(range(260, 300))),
        max_flip_rate="0.05",
        min_coverage="0.5",
    )
    assert verdict.outcome == "INVALID"
    assert verdict.checks[0].advice.startswith(
        "the lost items decide, and this would fail if all of them changed: evaluate them again"
    )


@pytest.mark.parametrize("missing", ["unanswered", "unanswered and lost"])
def test_what_old_left_unanswered_may_have_changed(missing):
    references = ["да"] * 400
    old = run("v1", ["да"] * 300 + [None] * 100, references)
    new = run("v2", references, references)
    if missing == "unanswered and lost":
        new = without(new, {7, 350})
    comparison = compare_runs(old, new, unanswered="drop", missing="drop")
    # Nothing is lost that could break: 100 answers are new.
    assert check_gate(comparison, Policy(max_nfr="0.02")).outcome == "PASS"
    for limit in ALL:
        policy = Policy(**{limit: "0.03"})
        for found in (comparison, counted(comparison)):
            verdict = check_gate(found, policy)
            assert verdict.outcome == "INVALID"
            assert verdict.reasons[0].startswith("100 items that old left unanswered are left out")
        assert check_gate(comparison, replace(policy, missing="ignore")).outcome == "PASS"
    wrong = compare_runs(old, new, unanswered="wrong", missing="drop")
    assert check_gate(wrong, Policy(**ALL)).outcome == "FAIL"


def test_extra_items_and_other_references_of_new_leave_nothing_unseen():
    references = ["да"] * 400
    old = run("v1", references, references)
    rows = run("v2", references, references).records
    others = replace(rows[7], reference="не")
    extra = replace(rows[0], id="نهاية")
    new = Run((*rows[:7], others, *rows[8:], extra), "v2")
    comparison = compare_runs(old, new, missing="drop", conflict="last")
    assert (comparison.dropped, comparison.lost) == (
        {"only in new": 1},
        {"judged by another reference": 1},
    )
    verdict = check_gate(comparison, Policy(max_churn="0.03"))
    assert verdict.reasons == ()
    assert verdict.checks[0].high == pytest.approx(1 - binom_low(399, 400), abs=1e-9)


def binom_low(count, total):
    """Lower Clopper-Pearson bound at 95 %."""
    return beta.ppf(0.05, count, total - count + 1)


RANKS = {"PASS": 2, "INCONCLUSIVE": 1, "FAIL": 0, "INVALID": 0}
CELLS = st.lists(st.sampled_from(["rr", "rw", "wr", "ww", "wx"]), min_size=30, max_size=60)


def runs_of(cells, group=None):
    old, new = ([], [])
    for cell in cells:
        old.append("да" if cell[0] == "r" else "нет")
        new.append({"r": "да", "w": "нет", "x": "不"}[cell[1]])
    columns = {} if group is None else {"group": [f"g{i // group}" for i in range(len(cells))]}
    references = ["да"] * len(cells)
    return run("v1", old, references, **columns), run("v2", new, references, **columns)


@settings(max_examples=10)
@given(CELLS, st.data(), st.sampled_from([None, None, 3]))
def test_no_lost_item_moves_a_verdict_of_equivalence_towards_pass(cells, data, group):
    old, new = runs_of(cells, group)
    limits = {
        name: data.draw(st.sampled_from(["0.1", "0.3", "0.6", "0.8"]))
        for name in data.draw(st.sets(st.sampled_from(sorted(ALL)), min_size=1))
    }
    try:
        policy = Policy(**limits, min_coverage="0.01", confidence=0.8)
        before = check_gate(compare_runs(old, new), policy)
    except UsageError:
        return
    rows = data.draw(st.sets(st.integers(1, len(cells) - 1), min_size=1, max_size=8))
    try:
        after = judged(old, without(new, rows), **limits, min_coverage="0.01", confidence=0.8)
    except UsageError:
        return
    assert RANKS[after.outcome] <= RANKS[before.outcome]
    # Each bound alone, too: what is lost raises it on each side.
    for one, other in zip(before.checks, after.checks, strict=False):
        assert other.high >= one.high - 1e-12


# An engine


def counted(comparison):
    lost = comparison.worst_case is not comparison
    return CountedComparison(
        names=comparison.names,
        totals=Totals.of(comparison),
        dropped=comparison.dropped,
        recipe={},
        lost=comparison.lost,
        worst=Totals.of(comparison.worst_case) if lost else None,
        fixed=Totals.of(comparison.fixed_case) if lost else None,
        is_grouped=comparison.table.unit == "groups",
    )


@settings(max_examples=5)
@given(CELLS, st.sets(st.integers(1, 29), max_size=5), st.sampled_from([None, 4]))
def test_counts_are_judged_as_items_are(cells, rows, group):
    old, new = runs_of(cells, group)
    comparison = compare_runs(old, without(new, rows), missing="drop")
    policy = Policy(
        max_flip_rate="0.6", max_churn="0.7", max_accuracy_change="0.5", min_coverage="0.01"
    )
    found = [list_criteria(one, policy) for one in (comparison, counted(comparison))]
    for items, counts in zip(*found, strict=True):
        # Groups come in another order, so that sums may round otherwise.
        assert counts.bounds(0.95)[:2] == pytest.approx(items.bounds(0.95)[:2], abs=1e-12)
        assert counts.observed.sample == items.observed.sample


def test_totals_without_the_other_end_are_refused():
    comparison = compare_runs(*(runs_of(["rr"] * 40)), missing="drop")
    lossy = compare_runs(*(r if i == 0 else without(r, {7}) for i, r in enumerate(
        runs_of(["rr"] * 40))), missing="drop")  # fmt: skip
    half = replace(counted(lossy), fixed=None)
    with pytest.raises(
        UsageError,
        match=r"in which every lost item got fixed, .*: count the runs again with --engine ",
    ):
        check_gate(half, Policy(max_flip_rate="0.5"))
    assert check_gate(half, Policy(max_nfr="0.5", min_coverage="0.5")).outcome == "PASS"
    assert check_gate(counted(comparison), Policy(max_flip_rate="0.5")).outcome == "PASS"


def test_duckdb_judges_as_memory_does(tmp_path):
    pytest.importorskip("duckdb")
    from muscle_metrics.scale import compare_files
    from tests.fuzz.damages import as_lines

    old = model(items=600)
    new = without(copy_of(old, 0.02, seed=5), {3, 77, 500})
    paths = [tmp_path / name for name in ("v1.jsonl", "copy.jsonl")]
    for path, one in zip(paths, (old, new), strict=True):
        path.write_text(as_lines(one), "utf-8")
    policy = Policy(max_flip_rate="0.05", max_churn="0.06", max_accuracy_change="0.05")
    texts = [
        str(check_gate(one, policy)).replace(str(tmp_path), "")
        for one in (
            compare_files(*paths, missing="drop"),
            compare_runs(*map(read_run, paths), missing="drop"),
        )
    ]
    assert texts[0].splitlines()[:-1] == texts[1].splitlines()[:-1]
    assert texts[0].startswith("PASS: ")
    assert "equivalent within 5% flips" in texts[0]


# Groups and repeats


def test_items_in_groups_are_judged_over_their_groups():
    old, new = runs_of(["rr"] * 285 + ["rw", "wr", "wx"] * 5, group=5)
    limits = {"max_flip_rate": "0.2", "max_churn": "0.2", "max_accuracy_change": "0.2"}
    verdict = judged(old, new, **limits)
    strict = judged(old, new, **limits, strict_groups=True)
    rows = runs_of([*["rr"] * 11, "rw"] * 6 + [*["rr"] * 11, "wr"] * 6, group=6)
    few, strict_few = judged(*rows, **limits), judged(*rows, **limits, strict_groups=True)
    assert [check.high for check in strict.checks] == [check.high for check in verdict.checks]
    assert all(a.high > b.high for a, b in zip(strict_few.checks, few.checks, strict=True))
    assert [("groups" in check.sample, check.method) for check in verdict.checks] == [
        (True, "Gaffke"),
        (True, "Gaffke"),
        (True, "approximate and Gaffke"),
        (True, "approximate and Gaffke"),
    ]


def test_noise_of_repeats_can_keep_the_limits_but_not_break_them():
    rng = random.Random(2)
    names = ("v1", "v2")
    runs = [
        Run(
            tuple(
                Record(f"q{i}", "да" if rng.random() < 0.5 else "нет", "да", repeat=str(k))
                for i in range(120)
                for k in range(3)
            ),
            name,
        )
        for name in names
    ]
    verdict = judged(*runs, max_flip_rate="0.1", max_churn="0.1")
    assert outcomes(verdict) == {"flip rate": "INCONCLUSIVE", "churn": "INCONCLUSIVE"}
    assert "decoding noise is part of it" in verdict.checks[0].advice


# What is refused, and what says nothing


@pytest.mark.parametrize("limit", ["max_flip_rate", "max_churn", "max_accuracy_change"])
def test_two_runs_that_are_wrong_alike_are_not_equivalent(limit):
    wrong = run("v1", ["нет"] * 500, ["да"] * 500)
    verdict = judged(wrong, replace(wrong, name="v2"), **{limit: "0.03"})
    assert {check.outcome for check in verdict.checks} == {"INVALID"}
    for check in verdict.checks:
        assert "only 0 of 500 items could break, and runs that are wrong alike say" in check.advice


def test_churn_may_be_limited_where_few_answers_are_right():
    # One answer in ten is right; a limit of 15 % on changed answers says more than that.
    old = run("v1", ["да", *["нет"] * 9] * 60, ["да"] * 600)
    assert judged(old, replace(old, name="v2"), max_churn="0.15").outcome == "PASS"
    assert judged(old, replace(old, name="v2"), max_flip_rate="0.15").outcome == "INVALID"


def test_verdicts_do_not_tell_which_answers_changed():
    rows = [Record(f"q{i}", scores={"acc": i % 7 != 3}) for i in range(200)]
    runs = Run(tuple(rows), "v1"), Run(tuple(rows), "v2")
    assert judged(*runs, max_flip_rate="0.05").outcome == "PASS"
    with pytest.raises(InputError, match=r"--max-churn \(max_churn\), got verdicts or scores only"):
        judged(*runs, max_churn="0.05")


@pytest.mark.parametrize("limit", ["max_flip_rate", "max_churn", "max_accuracy_change"])
@pytest.mark.parametrize("is_counted", [False, True])
def test_graded_scores_need_a_threshold(limit, is_counted):
    texts = {"old": ["a b"] * 99, "new": ["a c"] * 99, "references": ["a b"] * 99}
    comparison = compare(**texts, metric="rouge1")
    with pytest.raises(UsageError, match="threshold"):
        check_gate(counted(comparison) if is_counted else comparison, Policy(**{limit: "0.5"}))


@pytest.mark.parametrize("limit", ["max_flip_rate", "max_churn", "max_accuracy_change"])
def test_a_growing_run_is_judged_by_its_negative_flips_alone(limit):
    old = model(items=50)
    with pytest.raises(UsageError, match=rf"got other keys .*{limit}"):
        check_growing(old, old, Policy(**{limit: "0.5"}), seed=3)


def test_too_few_items_can_never_be_equivalent():
    old = model(items=60)
    for limit in ("max_flip_rate", "max_churn", "max_accuracy_change"):
        with pytest.raises(UsageError, match=r"so few can never pass; see 'muscle-metrics power'"):
            judged(old, replace(old, name="v2"), **{limit: "0.03"})


# Every sink


def sinks(verdict, comparison):
    yield "text", str(verdict)
    yield "notebook", verdict_html(verdict)
    yield "json", "\n".join(verdict_data(verdict, comparison)["notes"])
    yield "markdown", verdict_markdown(verdict, comparison)
    yield "junit", verdict_junit(verdict, comparison)
    yield "annotations", "\n".join(verdict_annotations(verdict))


@pytest.mark.parametrize("policy", [ALL, {**ALL, "max_nfr": "0.03"}])
def test_every_sink_says_within_what_two_models_are_equivalent(policy):
    old = model(items=2000)
    comparison = compare_runs(old, copy_of(old, 0.01, seed=1))
    verdict = check_gate(comparison, Policy(**policy))
    assert verdict.outcome == "PASS"
    for name, text in sinks(verdict, comparison):
        plain = unescape(text).replace("\\", "").replace("%25", "%")
        said = "equivalent within 3% flips either way, 4% changed answers and 3% change of accuracy"
        assert (said in plain) == ("max_nfr" not in policy), name


def test_the_page_says_within_what_two_models_are_equivalent():
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.page import html_report

    old = model(items=2000)
    comparison = compare_runs(old, copy_of(old, 0.01, seed=1))
    verdict = check_gate(comparison, Policy(**ALL))
    assert "equivalent within 3% flips either way, 4% changed" in html_report(
        comparison, verdict=verdict
    )


@pytest.mark.parametrize(
    ("outcome", "share"), [("INCONCLUSIVE", 0.036), ("FAIL", 0.2), ("INVALID", None)]
)
def test_nothing_but_pass_is_equivalent(outcome, share):
    old = model(items=2000)
    new = copy_of(old, share, seed=1) if share else without(old, set(range(1000, 2000)))
    verdict = judged(old, replace(new, name="v2"), **ALL)
    assert verdict.outcome == outcome
    assert "equivalent" not in str(verdict)


def test_every_pair_of_the_limits_is_named_in_one_sentence():
    old = model(items=2000)
    new = replace(old, name="v2")
    texts = {"max_flip_rate": "flips", "max_churn": "changed", "max_accuracy_change": "accuracy"}
    for one, other in product(texts, texts):
        said = judged(old, new, **{one: "0.1", other: "0.1"}).headline
        assert all(texts[name] in said for name in (one, other))
