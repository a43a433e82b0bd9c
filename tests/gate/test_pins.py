"""Waivers beside pinned items: what they let pass, and that they let nothing else pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Policy, Record, Run, UsageError, check_gate, compare, compare_runs
from muscle_metrics.gate.waivers import Waiver

DAY = date(2027, 1, 31)
RANKS = {"PASS": 2, "INCONCLUSIVE": 1}


def waiver(name: str, task: str | None = None, **parts: object) -> Waiver:
    return Waiver(
        **{"id": name, "task": task, "owner": "Ада", "reason": "known", "expires": DAY} | parts
    )


def runs(items: int = 300, broken: tuple[int, ...] = (7, 8)) -> tuple[Run, Run]:
    """Old is right on all items; new breaks the given rows."""
    old = [Record(f"вопрос {i}", "да", "да") for i in range(items)]
    new = [replace(r, prediction="нет" if i in broken else "да") for i, r in enumerate(old)]
    return Run(tuple(old), "v1"), Run(tuple(new), "v2")


def judged(*waivers: Waiver, pinned=("вопрос 7",), today: date = DAY, pair=None, **options):
    comparison = compare_runs(*(pair or runs()), **options)
    limits = {"max_nfr": "0.05", "pinned": frozenset(pinned), "min_coverage": "0.5"}
    return check_gate(comparison, Policy(**limits, waivers=waivers, today=today))


def states(verdict) -> list[tuple[str, str, bool]]:
    return [(one.waiver.id, str(one.state), one.is_pinned) for one in verdict.waivers]


def test_a_pinned_item_may_break_while_its_waiver_holds() -> None:
    assert judged().outcome == "FAIL"
    verdict = judged(waiver("вопрос 7"))
    assert verdict.outcome == "PASS"
    assert verdict.broken_pins == ()
    assert states(verdict) == [("вопрос 7", "waived", True)]
    assert verdict.headline == (
        "PASS: v1 -> v2; known regressions waived: 1 (1 pinned), each counted in every rate"
    )
    assert (
        "waived: вопрос 7 broke, and passes until 2027-01-31 though it is pinned (owner Ада; "
        "reason: known)"
    ) in str(verdict).splitlines()


def test_a_waiver_holds_through_its_last_day() -> None:
    assert judged(waiver("вопрос 7"), today=DAY).outcome == "PASS"
    after = judged(waiver("вопрос 7"), today=DAY + timedelta(days=1))
    assert after.outcome == "FAIL"
    assert after.broken_pins == ("вопрос 7",)
    assert states(after) == [("вопрос 7", "expired", True)]
    assert "; waivers expired: 1" in after.headline


def test_a_waiver_changes_no_rate() -> None:
    """Leaving out the items that were seen to break would make any update pass."""
    pair = runs(broken=tuple(range(5, 35)))
    waivers = [waiver(f"вопрос {i}") for i in range(5, 35)]
    for pinned in ((), ("вопрос 7",)):
        plain = judged(pinned=(), pair=pair)
        waived = judged(*waivers, pinned=pinned, pair=pair)
        assert plain.outcome == waived.outcome == "FAIL"
        assert plain.checks == waived.checks
    assert waived.notes[0].startswith("known regressions waived: 30 (1 pinned), each counted")


def test_every_waiver_is_judged_and_said() -> None:
    waivers = [
        waiver("вопрос 9"),
        waiver("nowhere"),
        waiver("вопрос 8", expires="2026-12-31"),
        waiver("вопрос 7"),
        waiver("вопрос 3"),
    ]
    old, new = runs()
    new = replace(new, records=tuple(r for r in new if r.id != "вопрос 3"))
    verdict = judged(*waivers, pair=(old, new), missing="drop")
    assert states(verdict) == [
        ("вопрос 7", "waived", True),
        ("вопрос 8", "expired", False),
        ("вопрос 3", "lost", False),
        ("nowhere", "unknown", False),
        ("вопрос 9", "not needed", False),
    ]
    assert verdict.notes[:5] == (
        "known regressions waived: 1 (1 pinned), each counted in every rate",
        "waivers expired: 1",
        "waivers of lost items: 1",
        "waivers of no item of old: 1",
        "waivers not needed: 1",
    )
    text = str(verdict)
    for one in waivers:
        assert text.count(f": {one.id} ") == 1
    assert verdict.signature.endswith(" on 2027-01-31")


def test_many_waivers_are_counted() -> None:
    waivers = [waiver(f"вопрос {i}") for i in range(50)]
    lines = str(judged(*waivers)).splitlines()
    assert sum(line.startswith(("waived: ", "waiver ")) for line in lines) == 20
    assert "30 more waivers, all in --json FILE" in lines


@pytest.mark.parametrize("lose", ["row", "answer"])
def test_a_lost_item_is_no_known_regression(lose: str) -> None:
    old, new = runs()
    lost = [
        replace(r, prediction=None) if r.id == "вопрос 7" else r
        for r in new
        if lose == "answer" or r.id != "вопрос 7"
    ]
    options = {"missing": "drop", "unanswered": "drop"}
    verdict = judged(waiver("вопрос 7"), pair=(old, replace(new, records=tuple(lost))), **options)
    assert verdict.outcome == "INVALID"
    assert states(verdict) == [("вопрос 7", "lost", True)]


@pytest.mark.parametrize(("conflict", "outcome"), [("own", "FAIL"), ("last", "INVALID")])
def test_an_item_that_is_judged_by_another_reference_is_lost(conflict: str, outcome: str) -> None:
    old, new = runs(broken=())
    other = [
        replace(r, prediction="нет", reference="иначе") if r.id == "вопрос 7" else r for r in new
    ]
    pair = old, replace(new, records=tuple(other))
    verdict = judged(waiver("вопрос 7"), pair=pair, conflict=conflict)
    assert verdict.outcome == outcome
    assert states(verdict) == [("вопрос 7", "lost", True)]


def test_an_item_that_lost_some_of_its_repeats_is_lost() -> None:
    rows = [(f"q{i}", str(n)) for i in range(60) for n in range(5)]
    old = Run(tuple(Record(name, "A", "A", repeat=n) for name, n in rows), "v1")
    new = Run(tuple(Record(name, "B" if name == "q9" else "A", "A", repeat=n) for name, n in rows),
              "v2")  # fmt: skip
    lost = replace(new, records=tuple(r for r in new if (r.id, r.repeat) != ("q9", "3")))
    assert judged(waiver("q9"), pinned=["q9"], pair=(old, new)).broken_pins == ()
    verdict = judged(waiver("q9"), pinned=["q9"], pair=(old, lost), missing="drop")
    assert verdict.broken_pins == ("q9",)
    assert states(verdict) == [("q9", "lost", True)]


def of_tasks(name: str, answers: dict[str, str]) -> Run:
    records = [
        Record(f"{i}", answers[task] if i == 7 else "A", "A", task=task)
        for task in ("算术", "law")
        for i in range(200)
    ]
    return Run(tuple(records), name)


def test_an_id_of_several_tasks_needs_the_task() -> None:
    pair = of_tasks("v1", {"算术": "A", "law": "A"}), of_tasks("v2", {"算术": "B", "law": "B"})
    with pytest.raises(UsageError, match="expected the task of the waiver of '7', got none, and 2"):
        judged(waiver("7"), pinned=["7"], pair=pair)
    # An id is pinned in every task; a waiver is of one item.
    assert judged(waiver("7", "算术"), pinned=["7"], pair=pair).broken_pins == ("7",)
    both = judged(waiver("7", "算术"), waiver("7", "law"), pinned=["7"], pair=pair)
    assert both.outcome == "PASS"
    assert states(judged(waiver("7", "history"), pinned=["7"], pair=pair)) == [
        ("7", "unknown", True)
    ]
    alone = judged(waiver("7", "算术"), pair=runs())
    assert states(alone) == [("7", "unknown", False)]


def test_a_waiver_of_one_task_hides_no_loss_in_another() -> None:
    old = of_tasks("v1", {"算术": "A", "law": "A"})
    new = of_tasks("v2", {"算术": "B", "law": "A"})
    lost = replace(new, records=tuple(r for r in new if (r.task, r.id) != ("law", "7")))
    assert judged(waiver("7", "算术"), pinned=["7"], pair=(old, new)).outcome == "PASS"
    verdict = judged(waiver("7", "算术"), pinned=["7"], pair=(old, lost), missing="drop")
    assert verdict.outcome == "INVALID"
    assert "1 pinned items are lost (first '7')" in verdict.reasons


def test_the_one_task_of_an_id_needs_no_name() -> None:
    pair = of_tasks("v1", {"算术": "A", "law": "A"}), of_tasks("v2", {"算术": "B", "law": "A"})
    pair = [replace(run, records=tuple(r for r in run if r.task == "算术")) for run in pair]
    assert judged(waiver("7"), pinned=["7"], pair=pair).outcome == "PASS"
    assert judged(waiver("7", "算术"), pinned=["7"], pair=pair).outcome == "PASS"


def test_a_prompt_with_repeats_breaks_by_most_of_its_answers() -> None:
    def repeated(name: str, wrong: int) -> Run:
        return Run(
            tuple(
                Record(f"q{i}", "B" if i == 9 and n < wrong else "A", "A", repeat=str(n))
                for i in range(60)
                for n in range(5)
            ),
            name,
        )

    for wrong, state in ((2, "not needed"), (3, "waived"), (5, "waived")):
        pair = repeated("v1", 0), repeated("v2", wrong)
        verdict = judged(waiver("q9"), pinned=["q9"], pair=pair)
        assert states(verdict) == [("q9", state, True)]
        assert verdict.broken_pins == ()


def test_graded_scores_break_by_a_material_fall() -> None:
    def scored(name: str, fall: float) -> Run:
        return Run(tuple(Record(f"q{i}", scores={"f": 0.9 - fall * (i == 5)}) for i in range(300)),
                   name)  # fmt: skip

    for fall, state in ((0.1, "not needed"), (0.5, "waived")):
        comparison = compare_runs(scored("v1", 0), scored("v2", fall), score_range=(0, 1))
        policy = Policy(max_nfr="0.05", minimum_effect=0.2, waivers=(waiver("q5"),), today=DAY)
        assert states(check_gate(comparison, policy)) == [("q5", state, False)]


def test_counts_of_an_engine_have_no_items_to_waive(tmp_path) -> None:
    pytest.importorskip("duckdb")
    from muscle_metrics.scale import compare_files

    path = tmp_path / "v1.jsonl"
    rows = (f'{{"id": {i}, "prediction": "A", "reference": "A"}}\n' for i in range(99))
    path.write_text("".join(rows), encoding="utf-8")
    policy = Policy(max_nfr="0.5", waivers=(waiver("7"),), today=DAY)
    with pytest.raises(UsageError, match="got waivers: leave it out, or leave out --engine"):
        check_gate(compare_files(path, path), policy)


WORDS = ["A", "Б"]
NAMES = [f"вопрос {i}" for i in range(40)]


@st.composite
def comparisons(draw) -> tuple[list[str], list[str | None], Policy]:
    old = draw(st.lists(st.sampled_from(WORDS), min_size=40, max_size=40))
    new = draw(st.lists(st.sampled_from(WORDS), min_size=40, max_size=40))
    limit = draw(st.sampled_from(["0.2", "0.5", "0.9"]))
    pinned = draw(st.sets(st.sampled_from(NAMES), max_size=4))
    return old, new, Policy(max_nfr=limit, pinned=frozenset(pinned))


@given(
    comparisons(),
    st.dictionaries(
        st.sampled_from([*NAMES, "nowhere"]), st.sampled_from([DAY, DAY - timedelta(days=1)])
    ),
    st.sampled_from([*NAMES, "nowhere"]),
    st.sampled_from([DAY, DAY - timedelta(days=1)]),
)
def test_only_a_valid_waiver_of_an_item_that_broke_helps(drawn, days, added, day) -> None:
    old, new, policy = drawn
    comparison = compare(old=old, new=new, references=["A"] * 40, ids=NAMES)
    days.pop(added, None)
    waivers = [waiver(name, expires=end) for name, end in days.items()]
    more = [*waivers, waiver(added, expires=day)]
    before, after = (
        check_gate(comparison, replace(policy, waivers=tuple(some), today=DAY))
        for some in (waivers, more)
    )
    assert before.checks == after.checks
    broke = added in NAMES and (old[NAMES.index(added)], new[NAMES.index(added)]) == ("A", "Б")
    helps = broke and day == DAY and added in policy.pinned
    assert {*before.broken_pins} - {*after.broken_pins} == ({added} if helps else set())
    if RANKS.get(after.outcome, 0) > RANKS.get(before.outcome, 0):
        assert helps
    # Whatever a waiver does or does not, each one is said once.
    assert sorted(one.waiver.id for one in after.waivers) == sorted([*days, added])
