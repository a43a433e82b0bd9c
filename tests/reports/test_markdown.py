"""Verdict first, worst first, and never longer than a site takes."""

from __future__ import annotations

import re

import pytest

from muscle_metrics import Policy, Record, Run, UsageError, check_gate, compare, compare_runs
from muscle_metrics.reports.markdown import COMMENT_LIMIT, MARKER, verdict_markdown
from muscle_metrics.words.escape import markdown


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


def test_the_effect_stands_in_words_below_the_heading(judge) -> None:
    lines = verdict_markdown(*judge(broken=40, fixed=3, max_nfr="0.05")).splitlines()
    assert lines[5] == "Accuracy fell by 12.3 points: 40 of 297 right answers are now wrong."


def test_a_metric_named_first_leads_and_cannot_act() -> None:
    runs = [
        Run(tuple(Record(str(i), scores={"f1|@x": 0.5 + s * i / 298}) for i in range(150)), f"v{s}")
        for s in (0, 1)
    ]
    comparison = compare_runs(*runs, score_range=(0, 2))
    text = verdict_markdown(check_gate(comparison, Policy(max_nfr="0.05")), comparison)
    assert "\n<code>f1&#124;&#92;u0040x</code> rose by 0.2500 on average; 0 of 150 items" in text


def test_an_undecided_verdict_says_what_decides(judge) -> None:
    verdict, comparison = judge(broken=15, max_nfr="0.05", max_accuracy_loss="0.2")
    (check,) = [check for check in verdict.checks if check.advice]
    _, _, steps = verdict_markdown(verdict, comparison).partition("**To decide**\n\n")
    assert steps.startswith(f"- {markdown(check.criterion)}: {markdown(check.advice)}\n\n")
    assert "To decide" not in verdict_markdown(*judge(broken=40, max_nfr="0.05"))


def test_slices_stand_in_the_order_of_the_page_and_the_others_are_counted() -> None:
    slices = [f"часть {i % 13}" for i in range(1300)]
    new = ["B" if i % 13 == 12 and i < 900 else "A" for i in range(1300)]
    comparison = compare(old=["A"] * 1300, new=new, references=["A"] * 1300, slices=slices)
    text = verdict_markdown(check_gate(comparison, Policy(max_nfr="0.5")), comparison)
    row = r"^\| <code>(часть \d+)</code> \| (\d+) \| 100 .* \| (.*) \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert rows[0] == ("часть 12", "69", "more than elsewhere")
    assert len(rows) == 10
    assert "\n3 more slices.\n" in text


def test_what_was_asked_stands_beside_the_answers() -> None:
    old, new = (
        Run(tuple(Record(f"q{i}", answer, "A", prompt=f"Frage | {i}?") for i in range(50)), name)
        for name, answer in (("v1", "A"), ("v2", "B"))
    )
    comparison = compare_runs(old, new)
    policy = Policy(max_nfr="0.5", pinned=frozenset({"q7"}))
    text = verdict_markdown(check_gate(comparison, policy), comparison, examples=2)
    assert "| item | prompt | old (right) | new (wrong) | reference |" in text
    # Pinned items come first, each with its own prompt.
    first, second = re.findall(r"^\| <code>(q\d+)</code> \| <code>(.*?)</code>", text, re.MULTILINE)
    assert first == ("q7", "Frage &#124; 7&#63;")
    assert second == ("q0", "Frage &#124; 0&#63;")


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ("https://ci.example/7/report.html#items", "https://ci.example/7/report.html#items"),
        ("out/my report.html", "out/my%20report.html"),
        ("https://x/a>)[b](<c\n##[error]", "https://x/a%3E%29%5Bb%5D%28%3Cc%0A##%5Berror%5D"),
    ],
)
def test_a_link_ends_where_markdown_ends_it(judge, link: str, written: str) -> None:
    text = verdict_markdown(*judge(broken=40, max_nfr="0.05"), link=link)
    assert f"\n[Every item that changed](<{written}>)\n" in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "", "http://[x"])
def test_a_link_of_another_kind_is_refused(judge, link: str) -> None:
    with pytest.raises(UsageError, match="expected an address of http or https, or a path"):
        verdict_markdown(*judge(broken=40, max_nfr="0.05"), link=link)


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
    advice = sum(bool(check.advice) for check in large[0].checks)
    rows = len(large[0].checks) + advice + len(large[1].slices) + 3000 + 3000
    assert shown + sum(map(int, left)) == rows
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
