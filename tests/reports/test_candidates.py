"""Reports of candidates: what they say, what they leave out, and how long they are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, Record, Run, compare_candidates
from muscle_metrics.reports.candidates import candidates_json, candidates_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics import Candidates

ITEMS = 300
# Invented, and joined here so that no scanner of sources reports it as a real secret.
SECRET = "hf_" + "q" * 30


def run_of(broken: range, prefix: str = "") -> Run:
    return Run(
        tuple(
            Record(
                f"№{n}",
                f"{prefix}ложь {n} {SECRET}" if n in broken else f"правда {n}",
                f"правда {n}",
                prompt=f"вопрос {n}",
            )
            for n in range(ITEMS)
        ),
        "старая",
    )


@pytest.fixture(scope="module")
def found() -> Candidates:
    new = {
        "a": run_of(range(20, 80)),
        "二": run_of(range(70, 74)),
        f"key {SECRET}": run_of(range(9)),
    }
    return compare_candidates(run_of(range(0)), new)


def test_json_holds_the_verdict_on_each(found: Candidates) -> None:
    data = json.loads(candidates_json(found, found.gate(Policy(max_nfr="0.1"))))
    assert {key: data["verdict"][key] for key in ("outcome", "confidence")} == {
        "outcome": "PASS",
        "confidence": 0.95,
    }
    assert data["verdict"]["may_ship"] == ["二", f"key {SECRET}"]
    assert data["verdict"]["alone"]["a"] == "FAIL"
    one = data["verdict"]["candidates"]["a"]
    # All three pass or fail at a third of the error, or a half where one has passed.
    assert one["confidence"] == pytest.approx(1 - 0.05 / 3)
    assert one["checks"][0]["estimate"] == 0.2
    assert one["negative_flips"]["listed"] == []
    assert json.loads(candidates_json(found)) == json.loads(found.to_json())


def test_markdown_is_short_enough_and_counts_what_it_leaves_out(found: Candidates) -> None:
    policy = Policy(max_nfr="0.1")
    text = candidates_markdown(found, found.gate(policy))
    assert text.splitlines()[1] == "## PASS: 2 of 3 candidates may ship"
    assert "| <code>a</code> | **FAIL** | 80.00% | -20.0 | -24.9 to -15.9 | 20.00% |" in text
    assert SECRET not in text
    many = {f"n{n}": run_of(range(n % 7)) for n in range(30)}
    several = compare_candidates(run_of(range(0)), many)
    cut = candidates_markdown(several, several.gate(policy), limit=20_000)
    assert len(cut.encode()) <= 20_000
    shown = len(re.findall("^\\| <code>n\\d+</code> \\| <code>n\\d", cut, re.MULTILINE))
    left = int(re.search(r"(\d+) more rows did not fit", cut)[1])
    assert shown + left == 435


def test_a_method_writes_each_format(found: Candidates, tmp_path: Path) -> None:
    verdict = found.gate(Policy(max_nfr="0.1"))
    for name, text in (
        ("a.md", candidates_markdown(found, verdict)),
        ("b.JSON", candidates_json(found, verdict)),
    ):
        found.report(tmp_path / name, verdict=verdict)
        assert (tmp_path / name).read_text("utf-8") == text


def page(found: Candidates, **options: Any) -> str:
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.candidates import candidates_page

    return candidates_page(found, **options)


def test_page_shows_every_answer_to_what_candidates_broke(found: Candidates) -> None:
    text = page(found, verdict=found.gate(Policy(max_nfr="0.1")))
    assert "Broken by a alone: 56 items" in text
    assert "Broken by every candidate: 0 items" in text
    start = r'<details class="item negative">\s*<summary><span class="id">№20<'
    part = re.search(f"{start}.*?</details>", text, re.DOTALL)[0]
    assert "вопрос 20" in part
    assert re.search(r"<b>a</b> wrong: .*ложь 20 \[hidden secret\]", part)
    assert re.search(r"<b>二</b> right: .*правда 20", part)
    assert SECRET not in text
    # Items that two of three broke are in no list, and counted.
    assert "ложь 71" not in text
    assert re.search(r"2 candidates</th><td class=\"number\">4<", text)


def test_page_runs_nothing_and_publishes_what_it_may(found: Candidates) -> None:
    text = page(found)
    assert "<script" not in text
    assert "script-src" not in text
    assert "default-src 'none'" in text
    few = page(found, examples=3)
    assert "56 items, 3 listed" in few
    assert few.count('class="item negative"') == 6
    for options in ({"examples": 0}, {"redact": True}):
        kept = page(found, **options)
        assert not re.search("ложь|правда|вопрос", kept)
        assert "Broken by a alone: 56 items" in kept
    assert "№20" in page(found, redact=True)
    assert "№20" not in page(found, examples=0)
