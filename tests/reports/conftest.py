"""Verdicts for the tests of reports: about plain runs, and about runs that attack their readers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pytest

from muscle_metrics import Policy, Record, Run, check_gate, compare, compare_runs
from muscle_metrics.gate.waivers import Waiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics import Comparison, Verdict


class Judged(NamedTuple):
    verdict: Verdict
    comparison: Comparison


@pytest.fixture
def judge() -> Callable[..., Judged]:
    """Judge a comparison of so many items of which so many broke and were fixed."""

    def judge_counts(
        *, items: int = 300, broken: int = 0, fixed: int = 0, **policy: object
    ) -> Judged:
        references = ["A"] * items
        old = ["A"] * (items - fixed) + ["B"] * fixed
        new = ["B"] * broken + ["A"] * (items - broken)
        comparison = compare(
            old=old, new=new, references=references, ids=[f"q{i}" for i in range(items)]
        )
        return Judged(check_gate(comparison, Policy(**policy)), comparison)

    return judge_counts


@pytest.fixture(params=["judged", "invalid", "accepted"])
def attacked(request: pytest.FixtureRequest, hostile: list[str]) -> Judged:
    """A verdict with every hostile string in every field that a report shows."""
    return attack(request.param, hostile)


def attack(kind: str, hostile: list[str]) -> Judged:
    prints = [] if kind == "judged" else ["\n".join(hostile), "x"]
    runs = [hostile_run("v1", hostile, "A"), hostile_run("v2", hostile, None)]
    runs = [
        replace(run, fingerprint={"judge": prints[i]} if prints else {})
        for i, run in enumerate(runs)
    ]
    comparison = compare_runs(*runs)
    policy = Policy(
        max_nfr="0.5",
        slices={text: "0.9999" for text in hostile if text},
        tasks={text: "0.9999" for text in hostile if text},
        pinned=frozenset(record.id for record in runs[0]),
        accepted_differences=("judge",) if kind == "accepted" else (),
        waivers=hostile_waivers(hostile),
        today=date(2027, 1, 1),
    )
    return Judged(check_gate(comparison, policy), comparison)


def hostile_waivers(hostile: list[str]) -> tuple[Waiver, ...]:
    """Waivers in each state but lost: some are not needed, and those of old's ids are in use."""
    words = {"owner": "o", "reason": "r"}
    return tuple(
        Waiver(
            id=name,
            task=text if kind == "of task" else None,
            expires=f"{2026 + i % 2}-12-31",
            **{part: f"{mark}{text}" for part, mark in words.items()},
        )
        for i, text in enumerate(dict.fromkeys(hostile))
        for kind, name in (
            ("plain", f"{i}{text}"),
            ("of task", f"r{i}{text}"),
            ("none", f"n{text}"),
        )
        if text or kind != "of task"
    )


def hostile_run(name: str, hostile: list[str], answer: str | None) -> Run:
    """A run that answers A, or with the attack, where A is right; and once the other way round."""
    records = []
    for i, text in enumerate(hostile):
        labels = {"task": text, "slice": text}
        records += [
            Record(f"{i}{text}", prediction=answer or text, reference="A", **labels),
            Record(f"r{i}{text}", prediction=text if answer else "A", reference=[text], **labels),
        ]
    return Run(tuple(records), f"{name} {' '.join(hostile)}")
