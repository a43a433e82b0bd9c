"""Verdict first, worst first, and never longer than a site takes."""

from __future__ import annotations

import re

import pytest

from muscle_metrics import Policy, Record, Run, check_gate, compare_runs
from muscle_metrics.reports.markdown import COMMENT_LIMIT, MARKER, verdict_markdown


def test_the_verdict_is_the_first_thing_shown(judge) -> None:
    lines = verdict_markdown(*judge(broken=40, fixed=3, max_nfr="0.05")).splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "## FAIL: 40 of 300 items broke, 3 were fixed"
    assert lines[3] == "<code>old</code> to <code>new</code>"


def test_checks_stand_worst_first(judge) -> None:
    judged = judge(broken=8, fixed=3, max_nfr="0.2", max_accuracy_loss="0.02", max_nfr_mc="0.21")
    text = verdict_markdown(*judged)
    assert re.findall(r"\*\*(\w+)\*\*", text) == ["INCONCLUSIVE", "PASS", "PASS"]


def test_numbers_are_those_that_decided(judge) -> None:
    verdict, comparison = judge(broken=40, max_nfr="0.05")
    (check,) = verdict.checks
    row = next(
        line for line in verdict_markdown(verdict, comparison).splitlines() if "FAIL**" in line
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:5] == ["13.33%", f"{check.low:.2%} to {check.high:.2%}, Clopper-Pearson", "5%"]


def test_flips_are_capped_and_the_cap_is_said(judge) -> None:
    judged = judge(broken=40, max_nfr="0.05")
    assert "negative flips: the first 20 of 40</summary>" in verdict_markdown(*judged)
    assert "negative flips: all 40</summary>" in verdict_markdown(*judged, examples=99)
    without = verdict_markdown(*judged, examples=0)
    assert "summary>" not in without
    assert "40 of 300 items broke" in without


@pytest.fixture(scope="module")
def large():
    """Thousands of flips of long answers, and a check for each of a thousand slices."""
    texts = [f"&<@\u202e{'x' * 300}{i}" for i in range(3000)]
    old, new = (
        Run(
            tuple(
                Record(f"q{i}{text}", prediction=answer or text, reference="A", slice=text[:200])
                for i, text in enumerate(texts)
            ),
            name * 400,
        )
        for name, answer in (("v1", "A"), ("v2", None))
    )
    comparison = compare_runs(old, new)
    slices = dict.fromkeys(comparison.table.slices[:1000], "0.999")
    pinned = frozenset(comparison.table.ids)
    policy = Policy(max_nfr="0.05", slices=slices, pinned=pinned)
    return check_gate(comparison, policy), comparison


@pytest.mark.parametrize("limit", [20_000, COMMENT_LIMIT, 300_000, 1_048_000])
def test_a_text_never_exceeds_its_limit(large, limit: int) -> None:
    text = verdict_markdown(*large, examples=10_000, limit=limit)
    assert len(text.encode()) <= limit
    assert text.splitlines()[1].startswith("## FAIL: 3000 of 3000 items broke")
    left = re.findall(r"^(\d+) more rows did not fit\.$", text, re.MULTILINE)
    assert left
    # What was opened is closed, and the signature is still there.
    assert text.count("<details>") == text.count("</details>")
    assert text.splitlines()[-1].startswith("<sub><code>")
    shown = len(re.findall(r"^\| <code>", text, re.MULTILINE)) + len(
        re.findall(r"^- <code>", text, re.MULTILINE)
    )
    assert shown + sum(map(int, left)) == len(large[0].checks) + 3000 + 3000
    assert limit < 100_000 or len(text.encode()) > 0.95 * limit


def test_a_small_report_leaves_nothing_out(judge) -> None:
    assert "did not fit" not in verdict_markdown(*judge(broken=40, max_nfr="0.05"))


def test_graded_scores_have_a_verdict_without_counts() -> None:
    runs = [
        Run(tuple(Record(str(i), scores={"f1": 0.5}) for i in range(100)), name)
        for name in ("v1", "v2")
    ]
    comparison = compare_runs(*runs, score_range=(0, 1))
    verdict = check_gate(comparison, Policy(max_nfr="0.05"))
    assert verdict_markdown(verdict, comparison).splitlines()[1] == "## PASS"
