"""Items that the new run lost count against it: a gate is never green on what it did not see."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from scipy.stats import binom

from muscle_metrics import InputError, Policy, check_gate, compare, compare_runs, count_flips
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale import compare_files
from tests.fuzz.damages import check, draw


def run(name, rows, **more):
    """Make a run of (id, prediction, reference) rows."""
    records = tuple(Record(str(i), prediction, reference) for i, prediction, reference in rows)
    return Run(records, name, **more)


def ten_percent_broken(items=300):
    """Old is right on all items; new breaks every tenth one, the first of them at row 7."""
    rows = [(i, "да", "да") for i in range(items)]
    broken = {i for i in range(items) if i % 10 == 7}
    old = run("old", rows)
    new = run("new", [(i, "нет" if i in broken else "да", "да") for i, *_ in rows])
    return old, new, broken


def without(new, ids):
    return replace(new, records=tuple(r for r in new if int(r.id) not in ids))


def test_a_run_without_the_items_it_breaks_does_not_pass():
    old, new, broken = ten_percent_broken()
    assert check_gate(compare_runs(old, new), Policy(max_nfr="0.02")).outcome == "FAIL"
    verdict = check_gate(
        compare_runs(old, without(new, broken), missing="drop"), Policy(max_nfr="0.02")
    )
    assert verdict.outcome == "INVALID"
    flips, coverage = verdict.checks
    assert (flips.estimate, flips.low) == (0, 0)
    # P(X <= 30 | 300, high) = .05: every lost item counts as broken.
    assert binom.cdf(30, 300, flips.high) == pytest.approx(0.05, abs=1e-9)
    assert "this would fail if all of them broke" in flips.advice
    assert coverage.outcome == "INVALID"
    assert str(verdict).startswith("INVALID: old -> new; coverage 270 of 300 items of old; ")


def test_an_undecided_loss_is_no_pass_for_who_lets_undecided_gates_pass():
    # Of 1000 items 30 broke: 3 %. Without them the limit of 2 % would be kept.
    old = run("old", [(i, "a", "a") for i in range(1000)])
    new = run("new", [(i, "b" if i % 33 == 5 else "a", "a") for i in range(1000)])
    broken = {int(r.id) for r in new if r.prediction == "b"}
    policy = Policy(max_nfr="0.02", min_coverage="0.9", on_inconclusive="pass")
    verdict = check_gate(compare_runs(old, without(new, broken), missing="drop"), policy)
    assert verdict.outcome == "INVALID"


def test_few_losses_pass_where_even_the_worst_case_keeps_the_limit():
    old, new, broken = ten_percent_broken()
    some = set(sorted(broken)[:2])
    new = replace(new, records=tuple(replace(r, prediction="да") for r in new))
    verdict = check_gate(
        compare_runs(old, without(new, some), missing="drop"), Policy(max_nfr="0.03")
    )
    assert [(c.criterion, c.outcome) for c in verdict.checks] == [
        ("negative flip rate", "PASS"),
        ("coverage", "PASS"),
    ]
    assert binom.cdf(2, 300, verdict.checks[0].high) == pytest.approx(0.05, abs=1e-9)


def test_a_policy_can_accept_losses_and_the_first_line_says_so():
    old, new, broken = ten_percent_broken()
    verdict = check_gate(
        compare_runs(old, without(new, broken), missing="drop"),
        Policy(max_nfr="0.02", missing="ignore"),
    )
    assert verdict.outcome == "PASS"
    assert str(verdict).splitlines()[0] == (
        "PASS: old -> new; coverage 270 of 300 items of old, the policy ignores the loss: "
        "30 only in old; the two runs are equal on every item that both hold"
    )


@pytest.mark.parametrize("conflict", ["own", "last", "drop"])
def test_new_does_not_pass_by_references_of_its_own(conflict):
    old, new, _ = ten_percent_broken()
    new = replace(new, records=tuple(replace(r, reference=r.prediction) for r in new))
    comparison = compare_runs(old, new, conflict=conflict)
    assert sum(comparison.lost.values()) == 30
    assert check_gate(comparison, Policy(max_nfr="0.02")).outcome == "INVALID"


def test_references_of_old_judge_both_where_they_differ():
    old, new, _ = ten_percent_broken()
    new = replace(new, records=tuple(replace(r, reference=r.prediction) for r in new))
    comparison = compare_runs(old, new, conflict="first")
    assert not comparison.lost
    assert check_gate(comparison, Policy(max_nfr="0.02")).outcome == "FAIL"


def test_new_does_not_pass_by_leaving_out_answers():
    old, new, broken = ten_percent_broken()
    silent = tuple(replace(r, prediction=None) if int(r.id) in broken else r for r in new)
    comparison = compare_runs(old, replace(new, records=silent), unanswered="drop")
    assert comparison.lost == {"unanswered by new": 30}
    assert check_gate(comparison, Policy(max_nfr="0.02")).outcome == "INVALID"


def test_what_old_left_unanswered_is_no_loss():
    old, new, broken = ten_percent_broken()
    old = replace(
        old, records=tuple(replace(r, prediction=None) if int(r.id) in broken else r for r in old)
    )
    for shortened in (new, without(new, broken)):
        comparison = compare_runs(old, shortened, unanswered="drop", missing="drop")
        assert not comparison.lost
        assert comparison.worst_case is comparison


def test_what_only_new_holds_is_no_loss():
    old, new, broken = ten_percent_broken()
    comparison = compare_runs(without(old, broken), new, missing="drop")
    assert comparison.dropped == {"only in new": 30}
    assert not comparison.lost


def test_a_slice_that_new_lost_whole_is_not_kept():
    old, new, broken = ten_percent_broken()
    sliced = [
        replace(r, records=tuple(replace(x, slice=str(int(x.id) % 10 == 7)) for x in r))
        for r in (old, new)
    ]
    comparison = compare_runs(sliced[0], without(sliced[1], broken), missing="drop")
    policy = Policy(max_nfr="0.15", min_coverage="0.5", slices={"True": "0.2"})
    verdict = check_gate(comparison, policy)
    assert {c.criterion: str(c.outcome) for c in verdict.checks} == {
        "negative flip rate": "PASS",
        "negative flip rate of slice True": "INVALID",
        "coverage": "PASS",
    }


def test_graded_scores_of_lost_items_fell_by_the_whole_range():
    texts = [("a b c d", "a b c d")] * 200
    old = run("old", [(i, *pair) for i, pair in enumerate(texts)])
    new = run("new", [(i, "a b c x" if i % 20 == 3 else "a b c d", "a b c d") for i in range(200)])
    broken = {i for i in range(200) if i % 20 == 3}
    comparison = compare_runs(old, without(new, broken), metric="rouge1", missing="drop")
    assert comparison.changes["rouge1"].negative == 0
    assert comparison.worst_case.changes["rouge1"].negative == len(broken)
    assert check_gate(comparison, Policy(max_nfr="0.02")).outcome == "INVALID"
    # A regression of the whole range would be too much for a mean, too.
    policy = Policy(max_nfr="0.2", min_coverage="0.5", max_mean_regression="0.5")
    assert check_gate(comparison, policy).checks[1].outcome == "INVALID"


@pytest.mark.parametrize("is_counted", [False, True], ids=["memory", "duckdb"])
@pytest.mark.parametrize("lost", [1, 8])
def test_a_lost_item_that_could_not_get_worse_adds_nothing_that_could_break(
    lost, is_counted, tmp_path
):
    # 27 of 1000 scores can fall: too few to exceed a limit of 2 % with confidence.
    rows = [{"id": f"q{n}", "score": 0.9 if n < 27 else 0} for n in range(1000)]
    outcomes = []
    for kept in (rows, rows[:-lost]):
        if is_counted:
            paths = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
            for path, lines in zip(paths, (rows, kept), strict=True):
                path.write_text("".join(json.dumps(row) + "\n" for row in lines))
            fields = {"score_field": "score"}
            more = {"old_options": fields, "new_options": fields}
            compared = compare_files(*paths, missing="drop", score_range=(0, 1), **more)
        else:
            old, new = (
                Run(tuple(Record(row["id"], scores={"s": row["score"]}) for row in lines), "v")
                for lines in (rows, kept)
            )
            compared = compare_runs(old, new, missing="drop", score_range=(0, 1))
        outcomes.append(check_gate(compared, Policy(max_nfr="0.02")).outcome)
    assert outcomes == ["INVALID", "INVALID"]


def test_a_pin_that_new_gave_another_reference_is_lost():
    old = Run(tuple(Record(f"q{n}", "A", "A") for n in range(200)), "v1")
    broken = replace(old, records=(*old.records[:-1], Record("q199", "B", "A")))
    refered = replace(old, records=(*old.records[:-1], Record("q199", "B", "B")))
    policy = Policy(max_nfr="0.1", pinned=["q199"])
    assert check_gate(compare_runs(old, broken), policy).outcome == "FAIL"
    verdict = check_gate(compare_runs(old, refered, conflict="last"), policy)
    assert verdict.outcome == "INVALID"
    assert verdict.reasons == ("1 pinned items are lost (first 'q199')",)


@pytest.mark.parametrize(("right", "outcome"), [(0, "INVALID"), (10, "INVALID"), (300, "FAIL")])
def test_a_limit_that_can_hardly_be_exceeded_is_not_kept(right, outcome):
    # Of 1000 items old got the last `right`; new breaks all of them.
    old = run("old", [(i, "a" if i >= 1000 - right else "b", "a") for i in range(1000)])
    new = run("new", [(i, "c", "a") for i in range(1000)])
    verdict = check_gate(compare_runs(old, new), Policy(max_nfr="0.02"))
    assert verdict.outcome == outcome
    if outcome == "INVALID":
        assert f"only {right} of 1000 items could break" in verdict.checks[0].advice


def test_a_limit_on_the_items_that_old_got_right_judges_a_hard_benchmark():
    old = run("old", [(i, "a" if i % 25 == 3 else "b", "a") for i in range(5000)])
    new = run("new", [(i, "a" if i % 25 == 3 and i % 50 != 3 else "c", "a") for i in range(5000)])
    limits = {"max_nfr": "0.05", "max_conditional_nfr": "0.1"}
    verdict = check_gate(compare_runs(old, new), Policy(**limits))
    flips, conditional = verdict.checks
    assert flips.outcome == "PASS"
    assert conditional.outcome == verdict.outcome == "FAIL"
    assert conditional.sample == "100 of 200 items that old got right"
    assert binom.sf(99, 200, conditional.low) == pytest.approx(0.05, abs=1e-9)
    same = check_gate(compare_runs(old, replace(old, name="copy")), Policy(**limits))
    assert same.outcome == "PASS"


def test_no_right_answer_in_old_leaves_nothing_to_judge():
    old = run("old", [(i, "b", "a") for i in range(500)])
    verdict = check_gate(compare_runs(old, old), Policy(max_nfr="0.05", max_conditional_nfr="0.1"))
    assert verdict.outcome == verdict.checks[1].outcome == "INVALID"


def test_a_key_that_recognises_nothing_compares_nothing():
    old = run("old", [(i, f"#### {i}", str(i)) for i in range(300)])
    new = run("new", [(i, "не знаю", str(i)) for i in range(300)])
    with pytest.raises(
        InputError,
        match="got blank text for 300 of 300 in the ref",
    ):
        compare_runs(old, new, key=lambda text: text.partition("####")[2])
    kept = compare_runs(old, new, key=lambda text: text.rpartition("#### ")[2])
    assert check_gate(kept, Policy(max_nfr="0.02")).outcome == "FAIL"


def test_new_alone_may_not_bring_the_references():
    old, new, _ = ten_percent_broken()
    old = replace(old, records=tuple(replace(r, reference=None) for r in old))
    verdict = check_gate(compare_runs(old, new), Policy(max_nfr="0.2"))
    assert verdict.outcome == "INVALID"
    assert verdict.reasons[0].startswith("references only in new")


def test_new_alone_may_not_bring_the_slices_of_a_policy():
    old, new, _ = ten_percent_broken()
    new = replace(new, records=tuple(replace(r, slice="easy") for r in new))
    comparison = compare_runs(old, new)
    assert check_gate(comparison, Policy(max_nfr="0.2")).outcome == "PASS"
    assert check_gate(comparison, Policy(max_nfr="0.2", protected=("easy",))).outcome == "INVALID"


def test_the_table_shows_the_rates_that_lost_items_allow():
    old, new, broken = ten_percent_broken()
    lost = set(sorted(broken)[:10])
    comparison = compare_runs(old, without(new, lost), missing="drop")
    # 20 of 300 broke as far as is known, 30 if every lost item did.
    assert comparison.possible_negative_flip_rates == pytest.approx((20 / 300, 30 / 300))
    assert (
        "coverage: 96.67% (290 of 300) items of old; 10 only in old; NFR of all of them is "
        "6.67% to 10.00%, by what the lost items hide"
    ) in str(comparison)
    data = comparison.to_dict()
    assert data["lost"] == {"only in old": 10}
    assert data["possible_negative_flip_rates"] == pytest.approx([20 / 300, 0.1])


@pytest.mark.parametrize(
    ("coverage", "hint"), [("0", "accepts any loss"), ("1.5", "asks for every item")]
)
def test_a_least_coverage_is_a_share(coverage, hint):
    with pytest.raises(ValueError, match=hint):
        Policy(max_nfr="0.1", min_coverage=coverage)


def test_losses_that_cannot_decide_leave_it_open():
    old, new, broken = ten_percent_broken()
    kept = replace(new, records=tuple(replace(r, prediction="да") for r in new))
    some = set(sorted(broken)[:4])
    comparison = compare_runs(old, without(kept, some), missing="drop")
    verdict = check_gate(comparison, Policy(max_nfr="0.03", min_coverage="0.9"))
    assert verdict.outcome == "INCONCLUSIVE"
    advice = "the lost items alone leave it open: evaluate them again"
    assert verdict.checks[0].advice == advice


@pytest.mark.parametrize(
    ("fall", "outcome"), [(0.0, "PASS"), (0.08, "INCONCLUSIVE"), (0.3, "FAIL")]
)
def test_a_mean_loss_counts_every_item(fall, outcome):
    # 40 of 400 items fall by .5, the others by `fall`: the mean over the regressed falls with it.
    def scored(name, of):
        return Run(tuple(Record(str(i), "a", scores={"judge": of(i)}) for i in range(400)), name)

    old, new = (
        scored("old", lambda i: 0.9),
        scored("new", lambda i: 0.9 - (0.5 if i < 40 else fall)),
    )
    comparison = compare_runs(old, new, score_range=(0, 1))
    verdict = check_gate(comparison, Policy(max_nfr="0.999", max_mean_loss="0.13"))
    loss = verdict.checks[1]
    assert loss.criterion == "mean loss of judge"
    assert loss.estimate == pytest.approx(0.05 + 0.9 * fall)
    assert loss.outcome == outcome


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_moves_a_verdict_towards_pass(seed, tmp_path):
    for case in islice(draw(Random(f"{seed}/0")), 5):
        check(case, tmp_path)


def test_a_run_compared_with_itself_passes_and_the_first_line_says_so():
    old, _, _ = ten_percent_broken()
    verdict = check_gate(compare_runs(old, replace(old, name="new")), Policy(max_nfr="0.02"))
    assert verdict.headline == "PASS: old -> new; the two runs are equal on every item"


def graded_run(name, scores):
    records = tuple(Record(str(i), "a", scores={"judge": s}) for i, s in enumerate(scores))
    return Run(records, name)


def test_new_does_not_turn_verdicts_into_grades():
    old, new = graded_run("old", [0.0] * 300), graded_run("new", [0.0] * 299 + [0.5])
    with pytest.raises(InputError, match=r"0 and 1 alone for 'judge' in the old run .* 'new'"):
        compare_runs(old, new)
    # With a range they are grades, and none of them can fall.
    verdict = check_gate(compare_runs(old, new, score_range=(0, 1)), Policy(max_nfr="0.05"))
    assert verdict.outcome == "INVALID"


def test_without_a_range_only_scores_above_the_lowest_can_fall():
    old = graded_run("old", [3.0] * 297 + [7.0] * 3)
    new = graded_run("new", [3.0] * 300)
    verdict = check_gate(compare_runs(old, new), Policy(max_nfr="0.05"))
    assert verdict.outcome == "INVALID"
    assert "only 3 of 300 items could break" in verdict.checks[0].advice


def test_an_ignored_loss_of_everything_leaves_nothing():
    old, new, _ = ten_percent_broken()
    new = replace(new, records=tuple(replace(r, reference=[r.prediction, "x"]) for r in new))
    policy = Policy(max_nfr="0.02", missing="ignore")
    verdict = check_gate(compare_runs(old, new, conflict="own"), policy)
    assert verdict.outcome == "INVALID"


def test_one_prompt_says_nothing_about_others():
    records = tuple(Record("q", "a", "a", group="g", repeat=str(k)) for k in range(3))
    old, new = Run(records, "old"), Run(records, "new")
    verdict = check_gate(compare_runs(old, new), Policy(max_nfr="0.04"))
    assert verdict.outcome == "INCONCLUSIVE"
    assert verdict.checks[0].advice.startswith("one prompt says nothing about others")


@pytest.mark.parametrize(("limit", "before"), [("0.45", "FAIL"), ("0.5", "INCONCLUSIVE")])
def test_losses_do_not_lower_the_mean_of_the_regressed(limit, before):
    # 40 items fall by .5, and 400 bad ones stay: without most of these the mean is the same.
    old, new = graded_run("old", [0.9] * 40 + [0.1] * 400), [0.4] * 40 + [0.1] * 400
    policy = Policy(max_nfr="0.99", min_coverage="0.01", max_mean_regression=limit)
    for kept, outcome in ((440, before), (140, "FAIL" if before == "FAIL" else "INVALID")):
        comparison = compare_runs(
            old, graded_run("new", new[:kept]), score_range=(0, 1), missing="drop"
        )
        check = check_gate(comparison, policy).checks[1]
        assert (check.criterion, check.outcome) == ("mean regression of judge", outcome)
        assert check.low <= check.high


def test_a_key_that_empties_one_reference_would_make_noise_right():
    # The key finds numbers: without one, noise and the reference would both become blank.
    def number(text):
        return "".join(filter(str.isdigit, text))

    rows = [(i, str(i), str(i)) for i in range(300)]
    rows[7] = (7, "семь", "семь")
    old = run("old", rows)
    new = run("new", [(i, "шум" if i == 7 else x, y) for i, x, y in rows])
    with pytest.raises(InputError, match="1 of 300 in the references of 'old' such as 'семь'"):
        compare_runs(old, new, key=number)
    columns = {"old": ["1", "семь"], "new": ["1", "шум"], "references": ["1", ["2", "семь"]]}
    with pytest.raises(InputError, match="blank text for 1 of 3 in references"):
        count_flips(**columns, key=number)


@pytest.mark.parametrize("key", [lambda text: "ok", bool, lambda text: text > ""])
@pytest.mark.parametrize("references", [("да", "да"), ("да", "нет")])
def test_a_key_that_gives_noise_the_value_of_everything_compares_nothing(key, references):
    old = run("old", [(i, references[i % 2], references[i % 2]) for i in range(300)])
    new = run("new", [(i, "шум", references[i % 2]) for i in range(300)])
    with pytest.raises(InputError, match=r"expected --key .* to tell answers apart, got"):
        compare_runs(old, new, key=key)
    columns = {"old": ["да", "нет"], "new": ["шум", "шум"], "references": [["да", "+"], "да"]}
    with pytest.raises(InputError, match=r"expected --key .* to tell answers apart, got"):
        count_flips(**columns, key=key)
    with pytest.raises(InputError, match=r"expected --key .* to tell answers apart, got"):
        compare(**columns, key=key, metric="exact_match")


@pytest.mark.parametrize("key", [str.casefold, str.strip, lambda text: text[:1].upper()])
def test_an_honest_run_whose_answers_are_all_equal_passes(key):
    old = run("old", [(i, "ja", "Ja") for i in range(300)])
    new = run("new", [(i, "JA", "Ja") for i in range(300)])
    same = compare_runs(run("old", [(i, "ja", "ja") for i in range(300)]),
                        run("new", [(i, "ja", "ja") for i in range(300)]), key=key)  # fmt: skip
    assert check_gate(same, Policy(max_nfr="0.02")).outcome == "PASS"
    if key("ja") == key("Ja") == key("JA"):
        assert check_gate(compare_runs(old, new, key=key), Policy(max_nfr="0.02")).outcome == "PASS"
