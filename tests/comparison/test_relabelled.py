"""Labels that differ between runs are said: those of the old run count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Comparison, Policy, Record, Run, check_gate, compare_runs
from muscle_metrics.comparison.text import comparison_text

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "2 items have another slice in new: the slices of old count"


def rows(moved: tuple[int, ...] = (), slices: str = "ab") -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{n}",
            "prediction": "да",
            "reference": "да",
            "slice": "z" if n in moved else slices[n % 2] if slices else None,
            "group": f"g{n // 3}",
        }
        for n in range(40)
    ]


def run_of(rows: list[dict[str, Any]], name: str) -> Run:
    return Run(tuple(Record(**row) for row in rows), name)


def compared(new: list[dict[str, Any]]) -> Comparison:
    return compare_runs(run_of(rows(), "v1"), run_of(new, "v2"))


def test_items_that_the_new_run_moves_are_counted() -> None:
    comparison = compared(rows(moved=(5, 31)))
    assert comparison.relabelled == {"slice": 2}
    assert f"note: {NOTE}" in comparison_text(comparison)
    assert list(comparison.slices) == ["a", "b"]
    verdict = check_gate(comparison, Policy(max_nfr="0.5"))
    assert NOTE in verdict.headline


def test_a_new_run_without_labels_moves_nothing() -> None:
    assert compared(rows(slices="")).relabelled == {}
    assert compared(rows()).relabelled == {}


def test_an_engine_counts_them_too(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    from muscle_metrics.scale import compare_files

    paths = []
    for name, content in (("old", rows()), ("new", rows(moved=(5, 31)))):
        content = [
            {**row, "group": f"{row['group']}{name * (row['id'] == 'q7')}"} for row in content
        ]
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
    reads = {"slice_field": "slice", "group_field": "group"}
    counted = compare_files(*paths, old_options=reads, new_options=reads, threads=1)
    assert counted.relabelled == {"slice": 2, "group": 1}
    assert NOTE in check_gate(counted, Policy(max_nfr="0.5")).headline
