"""Annotations: one for the verdict, the worst checks first, and no more than are shown."""

from __future__ import annotations

from muscle_metrics import Policy, check_gate, compare
from muscle_metrics.reports.annotations import verdict_annotations


def test_levels_follow_outcomes(judge) -> None:
    def levels(**case: object) -> list[str]:
        lines = verdict_annotations(judge(**case).verdict)
        return [line.split()[0] for line in lines]

    assert levels(max_nfr="0.05") == ["::notice"]
    assert levels(broken=3, max_nfr="0.02") == ["::warning", "::warning"]
    assert levels(broken=40, max_nfr="0.05") == ["::error", "::error"]
    pinned = frozenset({"q1"})
    assert levels(broken=2, max_nfr="0.05", pinned=pinned) == ["::error", "::error"]


def test_percent_signs_survive(judge) -> None:
    line = verdict_annotations(judge(broken=40, max_nfr="0.05").verdict)[1]
    assert "FAIL negative flip rate 13.33%25 (Clopper-Pearson bounds" in line


def test_at_most_ten_and_the_rest_is_counted() -> None:
    topics = [f"t{i % 15}" for i in range(300)]
    comparison = compare(old=["A"] * 300, new=["B"] * 300, references=["A"] * 300, slices=topics)
    policy = Policy(max_nfr="0.5", protected=tuple(sorted(set(topics))))
    lines = verdict_annotations(check_gate(comparison, policy))
    assert len(lines) == 10
    # The verdict and 16 checks are 17; 9 of them are shown.
    assert lines[-1] == "::notice title=muscle-metrics gate::8 more are in the log"
