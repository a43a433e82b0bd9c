"""What the gate says of real updates, as a user would ask it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CATEGORIES = [
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health",
    "history", "law", "math", "other", "philosophy", "physics", "psychology",
]  # fmt: skip


def mmlu_pro(shared: Path, limit: str) -> list[object]:
    folder = shared / "data" / "mmlu_pro"
    runs = [folder / f"Meta-Llama-{version}-8B.jsonl.gz" for version in ("3", "3_1")]
    fields = ["--id-field", "question_id", "--prediction-field", "pred"]
    fields += ["--reference-field", "answer", "--slice-field", "category"]
    return ["gate", *runs, *fields, "--unanswered=wrong", "--conflict=own", "--max-nfr", limit]


def test_llama_3_to_3_1_keeps_one_in_ten_by_the_exact_bound(run, shared: Path) -> None:
    done = run(*mmlu_pro(shared, "0.1"))
    assert done.code == 0
    # scipy.stats.binomtest(1022, 12032).proportion_ci(0.90).high is 0.089167.
    assert "8.49% (Clopper-Pearson bounds 8.08% to 8.92%)" in done.out
    assert "limit 10%: 1022 of 12032 items" in done.out


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        ("0.1", {"health", "history", "law", "math", "other", "philosophy", "psychology"}),
        ("0.09", {"history", "math", "other"}),
    ],
)
def test_categories_are_corrected_for_their_number(
    run, shared: Path, limit: str, passed: set[str]
) -> None:
    done = run(*mmlu_pro(shared, limit), *(f"--protect={name}" for name in CATEGORIES))
    assert done.code == 3
    found = {}
    for line in done.out.splitlines():
        _, _, name = line.partition(" of slice ")
        if name:
            found[re.match(r"[a-z ]*[a-z]", name)[0]] = line
    assert sorted(found) == CATEGORIES
    assert {name for name, line in found.items() if line.startswith("PASS ")} == passed
    # 138 of 1299 in physics exceed 9 % by themselves; one of fifteen looks does so by chance.
    corrected = "broken on its own, but not after correcting for the number of criteria"
    assert (corrected in found["physics"]) == (limit == "0.09")


def test_805_items_cannot_tell_2_percent(run, shared: Path) -> None:
    folder = shared / "data" / "alpaca_eval"
    runs = [folder / f"vicuna-7b-v1.{version}.jsonl.gz" for version in (3, 5)]
    fields = ["--id-field", "instruction", "--score-field", "preference_vs_gpt4_1106"]
    done = run("gate", *runs, *fields, "--threshold=1.5", "--strict-threshold", "--max-nfr=0.02")
    assert done.code == 3
    assert "13 of 805 items; 2882 more items at this rate would decide" in done.out
