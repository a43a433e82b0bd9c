"""Every display shows dependent rows with the bounds by which the gate decides."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import (
    FlipCounts,
    Policy,
    Rate,
    Record,
    Run,
    check_gate,
    compare,
    compare_chain,
    compare_runs,
    html_report,
)
from muscle_metrics.comparison.uncertainty import rate_bounds, score_bounds
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.magnitudes import Magnitude, MeanChange
from muscle_metrics.flips.rate_table import RATES, WHOLES
from muscle_metrics.flips.rates import AccuracyChange
from muscle_metrics.gate.criteria import list_criteria
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_data
from muscle_metrics.scale import CountedComparison, Totals
from muscle_metrics.statistics.clusters import (
    clustered_mean,
    clustered_mean_interval,
    clustered_proportion_interval,
)

SCRIPTS = ("法律", "math", "القانون")


def runs_of(seed, *, grouped=False, repeats=1, prompts=48, graded=False, versions=2):
    """Runs whose rows share groups, prompts or both, in three slices; a tenth breaks."""
    draw = np.random.default_rng(seed)
    runs = []
    before = draw.random(prompts * repeats) < 0.8
    for version in range(versions):
        right = before if version == 0 else before & (draw.random(before.size) > 0.1)
        right = right | (draw.random(before.size) < (0.05 if version else 0))
        records = []
        for row, is_right in enumerate(right.tolist()):
            prompt = row // repeats
            records.append(
                Record(
                    f"q{prompt}",
                    None if graded else ("A" if is_right else "B"),
                    None if graded else "A",
                    {"judge": round(float(draw.random()), 3)} if graded else {},
                    slice=SCRIPTS[prompt % 3],
                    group=f"p {prompt // 4}" if grouped else None,
                    repeat=str(row % repeats) if repeats > 1 else None,
                )
            )
        runs.append(Run(tuple(records), f"v{version}"))
    return runs


def counted(comparison, **columns):
    return CountedComparison(
        names=comparison.names,
        totals=Totals.of(comparison),
        dropped={},
        recipe=comparison.recipe,
        **columns,
    )


DEPENDENT = {
    "groups": {"grouped": True},
    "repeats": {"repeats": 3},
    "grouped repeats": {"grouped": True, "repeats": 2},
    "graded groups": {"grouped": True, "graded": True},
    "graded repeats": {"repeats": 2, "graded": True},
}


def compared(seed, kind):
    return compare_runs(*runs_of(seed, **DEPENDENT[kind]), score_range=UNIT[kind])


UNIT = {kind: (0, 1) if "graded" in kind else (-np.inf, np.inf) for kind in DEPENDENT}


def refuse(*_, **__):
    raise AssertionError("an interval of independent items was computed")


@pytest.fixture
def only_dependent(monkeypatch):
    """Fail where a sink asks for an interval or a test that takes items as independent."""
    for kind in (Rate, AccuracyChange, Magnitude, MeanChange):
        monkeypatch.setattr(kind, "interval", refuse)
    monkeypatch.setattr(FlipCounts, "mcnemar", refuse)


@pytest.mark.usefixtures("only_dependent")
@pytest.mark.parametrize("kind", DEPENDENT)
def test_no_sink_shows_dependent_rows_as_if_they_were_independent(kind):
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    comparison = compared(3, kind)
    assert "intervals are over" in str(comparison)
    assert "treat them as" not in comparison._repr_html_() + html_report(comparison)
    content = json.loads(comparison.to_json())
    methods = set(re.findall(r'"method": ("[^"]*"|null)', json.dumps(content)))
    assert methods <= {'"Gaffke"', '"approximate"', '"Gaffke and approximate"', "null"} | {
        '"approximate and Gaffke"'
    }
    assert content.get("mcnemar_mid_p") is None


@pytest.mark.usefixtures("only_dependent")
@pytest.mark.parametrize("kind", DEPENDENT)
def test_no_count_of_an_engine_is_shown_as_if_items_were_independent(kind):
    comparison = compared(4, kind)
    columns = {"is_repeated": comparison.is_repeated, "is_grouped": "group" in kind}
    engine = counted(comparison, **columns)
    known = kind in ("groups", "grouped repeats")
    assert ("intervals are over groups" in str(engine)) == known
    assert ("leave out --engine" in str(engine)) != known
    assert '"mcnemar_mid_p": 0' not in engine.to_json()


@pytest.mark.usefixtures("only_dependent")
@pytest.mark.parametrize("kind", ["groups", "repeats", "grouped repeats"])
def test_no_chain_is_shown_as_if_items_were_independent(kind):
    chain = compare_chain(runs_of(5, versions=3, **DEPENDENT[kind]))
    assert "intervals are over" in str(chain)
    content = json.loads(chain.to_json())
    assert content["overall"]["rates"]["accuracy_change"]["method"].startswith(("appr", "Gaff"))
    assert content["survival"][2]["low"] <= content["survival"][2]["value"]


def test_an_item_counts_once_for_each_update_of_a_chain():
    chain = compare_chain(runs_of(6, versions=3))
    found = json.loads(chain.to_json())["sum_negative_flip_rate"]
    assert found["method"] == "Gaffke and approximate"
    flips = (chain.right[:-1] & ~chain.right[1:]).sum(axis=0)
    expected = clustered_proportion_interval(successes=flips, sizes=[2] * chain.total).interval
    assert (found["low"], found["high"]) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["groups", "grouped repeats"])
def test_a_display_has_the_bounds_of_the_gate(kind):
    comparison = compared(7, kind)
    policy = Policy(
        max_nfr="0.02", max_nfr_mc="0.03", max_conditional_nfr="0.02", max_accuracy_loss="0.01"
    )
    gate = {c.name: c.observed for c in list_criteria(comparison, policy)}
    for name, criterion in (
        ("negative_flip_rate", "negative flip rate"),
        ("inconsistency_flip_rate", "inconsistency flip rate"),
        ("conditional_negative_flip_rate", "conditional negative flip rate"),
    ):
        if kind == "groups" or name != "negative_flip_rate":
            bounds = rate_bounds(comparison, name)
            assert bounds.high == gate[criterion].upper(0.975)
            if kind == "groups":
                assert bounds.low == gate[criterion].lower(0.975)
    change = rate_bounds(comparison, "accuracy_change")
    assert -change.low == gate["accuracy loss"].upper(0.975)


def test_counts_of_an_engine_have_the_intervals_of_the_items():
    comparison = compared(8, "groups")
    engine = counted(comparison, is_grouped=True)
    for part in (None, Part("slice", SCRIPTS[0])):
        for name in RATES:
            expected = rate_bounds(comparison, name, part)
            found = rate_bounds(engine, name, part)
            assert (expected is None) == (found is None)
            if expected is not None:
                assert found.ends == pytest.approx(expected.ends, abs=1e-9)
                assert found.method == expected.method
            if part is not None and name == "fix_rate":
                break


cells = st.integers(0, 9)


@given(st.tuples(cells, cells, cells, cells), st.data())
def test_counts_of_a_rate_add_up_to_it(quadrants, data):
    right, negative, positive, wrong = quadrants
    counts = FlipCounts(
        both_right=right,
        negative=negative,
        positive=positive,
        both_wrong=wrong,
        both_right_changed=data.draw(st.integers(0, right)),
        wrong_changed=data.draw(st.integers(0, wrong)),
    )
    for name, rate in counts.rates().items():
        if RATES[name].counted:
            assert rate.count == sum(getattr(counts, cell) for cell in RATES[name].counted)
            assert rate.total == sum(getattr(counts, cell) for cell in WHOLES[RATES[name].of])
    left_out = {name for name in RATES if not RATES[name].counted}
    assert left_out == {
        "accuracy_change",
        "avoidable_negative_flip_rate",
        "relative_negative_flip_rate",
    }


sizes_and_hits = st.lists(
    st.integers(1, 6).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    min_size=2,
    max_size=60,
)


@settings(max_examples=15)
@given(sizes_and_hits)
def test_the_method_named_is_the_one_that_computed_the_bound(clusters):
    hits, sizes = map(np.array, zip(*clusters, strict=True))
    found = clustered_proportion_interval(successes=hits, sizes=sizes, side="upper")
    strict = clustered_proportion_interval(successes=hits, sizes=sizes, side="upper", strict=True)
    assert found.interval.high <= strict.interval.high
    if found.upper_method == "finite-sample":
        assert found.interval == strict.interval
    loss = clustered_mean(totals=hits, sizes=sizes, side="upper")
    least = clustered_mean_interval(totals=hits, sizes=sizes, side="upper", strict=True)
    assert loss.interval.high <= least.high
    if loss.upper_method == "finite-sample":
        assert loss.interval == least


def test_independent_items_keep_the_intervals_of_their_rates():
    comparison = compare(old=["A"] * 60, new=["A"] * 50 + ["B"] * 10, references=["A"] * 60)
    assert rate_bounds(comparison, "negative_flip_rate").method == "Wilson"
    assert rate_bounds(comparison, "accuracy_change").method == "Tango"
    assert rate_bounds(comparison, "negative_flip_rate").ends == Rate(10, 60).interval()
    assert comparison.bounds("fix_rate") is None
    with pytest.raises(UsageError, match="expected a rate to be one of"):
        comparison.bounds("nfr")


def test_means_name_the_method_that_kept_or_lost_values_allow():
    comparison = compare_runs(*runs_of(2, graded=True), score_range=(0, 1))
    kept, summed = (c.to_dict()["scores"]["judge"] for c in (comparison, counted(comparison)))
    assert (kept["mean_gain"]["method"], summed["mean_gain"]["method"]) == ("Gaffke", "Student")
    assert kept["mean_change"] == summed["mean_change"]
    size = comparison.changes["judge"].mean_gain
    assert (kept["mean_gain"]["low"], kept["mean_gain"]["high"]) == size.interval()


def test_scores_without_a_range_have_no_mean_over_groups():
    comparison = compare_runs(*runs_of(9, grouped=True, graded=True))
    assert score_bounds(comparison, "judge", "negative_flip_rate").below == "Gaffke"
    assert score_bounds(comparison, "judge", "mean_change") is None
    assert score_bounds(comparison, "judge", "mean_regression") is None


@pytest.mark.parametrize("kind", ["repeats", "grouped repeats"])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_bound_of_a_rate_is_negative(kind, seed):
    content = compared(seed, kind).to_dict()
    shares = [rate for name, rate in content["rates"].items() if name != "accuracy_change"]
    noise = content["decoding_noise"]
    shares += [noise[name] for name in ("flip_rate", "floor")]
    assert all(share.get("low", 0) >= 0 for share in shares)


@pytest.mark.parametrize("kind", ["repeats", "grouped repeats"])
def test_a_line_about_repeats_names_both_quantities(kind):
    verdict = check_gate(compared(3, kind), Policy(max_nfr="0.9"))
    line = str(verdict.checks[0])
    assert re.search(r" bounds 0\.00% beyond noise to \d+\.\d\d% with noise\)", line)
    (described,) = verdict_data(verdict)["checks"]
    assert (described["low_of"], described["high_of"]) == ("beyond noise", "with noise")
    assert "% with noise" in verdict_markdown(verdict)


def in_groups(number, broken=0, size=10):
    old = ["A"] * (number * size)
    new = ["B"] * broken + old[broken:]
    groups = [f"g{row // size}" for row in range(number * size)]
    return compare(old=old, new=new, references=old, groups=groups)


def test_a_line_over_groups_says_what_decides_and_what_could_break_unseen():
    # 5 % of 60 groups of one size are 3 of them; 1 - .05 ** (1 / 60) = 4.87 %.
    verdict = check_gate(in_groups(60), Policy(max_nfr="0.05"))
    line = str(verdict.checks[0])
    assert "PASS negative flip rate 0.00% (Gaffke and approximate bounds 0.00% to 4.87%)" in line
    assert (
        "; the limit allows 3.0 of the largest groups to break, and below 10 an approximate bound "
        "decides: 4.9% of the groups could break unseen"
    ) in line
    (described,) = verdict_data(verdict)["checks"]
    assert described["allowed_units"] == pytest.approx(3)
    assert described["unseen_share"] == pytest.approx(1 - 0.05 ** (1 / 60))
    assert "could break unseen" in verdict_markdown(verdict)


def test_a_line_over_groups_prints_the_bound_that_decided():
    comparison = in_groups(60, broken=30)
    (check,) = check_gate(comparison, Policy(max_nfr="0.25")).checks
    hits = [10] * 3 + [0] * 57
    strict = clustered_proportion_interval(
        successes=hits, sizes=[10] * 60, strict=True, confidence=0.95, side="upper"
    )
    assert (check.outcome, check.method) == ("PASS", "Gaffke")
    assert check.high == strict.interval.high
    assert "allows 15.0 of the largest groups to break: Gaffke's bound decides" in check.sample
    assert check.unseen_share is None


def test_a_fail_over_groups_names_its_lower_bound():
    (check,) = check_gate(in_groups(40, broken=200), Policy(max_nfr="0.02")).checks
    assert check.outcome == "FAIL"
    assert check.sample.endswith("; Gaffke's lower bound decides")


def test_a_second_look_could_miss_a_larger_share_of_the_groups():
    (check,) = check_gate(in_groups(60), Policy(max_nfr="0.05", looks=2)).checks
    assert check.unseen_share == pytest.approx(1 - 0.0198 ** (1 / 60))


# Strict groups once did not reach the repeats of grouped prompts.
def test_strict_groups_hold_for_repeats():
    records = [
        Record(f"q{prompt}", "A", "A", repeat=str(repeat), group=f"g{prompt // 2}")
        for prompt in range(160)
        for repeat in range(2)
    ]
    comparison = compare_runs(Run(tuple(records), "old"), Run(tuple(records), "new"))
    loose, strict = (
        check_gate(comparison, Policy(max_nfr="0.05", strict_groups=strict)).checks[0]
        for strict in (False, True)
    )
    assert (loose.outcome, loose.method) == ("PASS", "approximate")
    assert (strict.outcome, strict.high >= loose.high) == ("PASS", True)


def test_a_pass_without_a_guarantee_is_no_strict_one():
    with pytest.raises(UsageError, match=r"got both: drop --strict-groups \(strict_groups\)"):
        Policy(max_nfr="0.05", strict_groups=True, noise_adjusted_pass=True)
