"""What a reader of JUnit counts: red where the gate is red, and nowhere else."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from muscle_metrics.reports.junit import verdict_junit


def totals(text: str) -> dict[str, int]:
    root = ElementTree.fromstring(text)
    return {name: int(root.get(name)) for name in ("tests", "failures", "errors", "skipped")}


def names(text: str, mark: str) -> list[str]:
    root = ElementTree.fromstring(text)
    return [case.get("name") for case in root.iter("testcase") if case.find(mark) is not None]


def test_a_pass_has_nothing_red_even_if_some_items_broke(judge) -> None:
    text = verdict_junit(*judge(broken=2, max_nfr="0.05"))
    assert totals(text) == {"tests": 4, "failures": 0, "errors": 0, "skipped": 2}
    assert names(text, "skipped") == ["q0", "q1"]


def test_a_failure_shows_its_criteria_and_flips(judge) -> None:
    text = verdict_junit(*judge(broken=40, max_nfr="0.05", max_accuracy_loss="0.5"), examples=3)
    assert totals(text) == {"tests": 6, "failures": 4, "errors": 0, "skipped": 0}
    assert names(text, "failure") == ["negative flip rate", "q0", "q1", "q2"]
    suite = ElementTree.fromstring(text).findall("testsuite")[1]
    assert suite.get("name") == "negative flips: the first 3 of 40"
    assert suite.find("testcase/failure").text.splitlines() == [
        "old: A", "new: B", "reference: A",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("meaning", "counts"),
    [("error", (0, 1, 3)), ("fail", (1, 0, 3)), ("pass", (0, 0, 4))],
)
def test_an_undecided_check_is_what_the_policy_says(judge, meaning: str, counts) -> None:
    judged = judge(broken=3, max_nfr="0.02", on_inconclusive=meaning)
    found = totals(verdict_junit(*judged, on_inconclusive=meaning))
    assert (found["failures"], found["errors"], found["skipped"]) == counts


def test_broken_pins_are_red_and_come_first(judge) -> None:
    judged = judge(broken=3, max_nfr="0.05", pinned=frozenset({"q2", "q200"}))
    assert judged.verdict.outcome == "FAIL"
    text = verdict_junit(*judged, examples=2)
    assert names(text, "failure") == ["pinned items", "q2", "q0"]


def test_suites_add_up(judge) -> None:
    root = ElementTree.fromstring(verdict_junit(*judge(broken=30, max_nfr="0.05")))
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root.iter("testsuite"))
