"""Messages about labels of a sample: planning a sheet, reading it, and gating by it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics import Policy, Record, Run, check_gate, cli, compare_labelled, plan_labels
from muscle_metrics.cli import label
from muscle_metrics.labels.items import join_for_labels
from muscle_metrics.labels.judge import read_verdicts
from muscle_metrics.labels.sheet import key_path
from muscle_metrics.runs.judge_repeats import settle_verdicts
from muscle_metrics.statistics.assisted import AssistedMean, Cell
from muscle_metrics.statistics.judge_bias import leniency_test
from muscle_metrics.statistics.strata import Stratum, allocate_labels, stratified_mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "cli/label",
    "cli/labels",
    "labels/design",
    "labels/items",
    "labels/judge",
    "labels/labelled",
    "labels/plan",
    "labels/sheet",
    "runs/judge_repeats",
    "statistics/assisted",
    "statistics/judge_bias",
    "statistics/strata",
]

OLD = Run(tuple(Record(f"q{k}", f"text {k}", scores={"judge": 1.0}) for k in range(40)), "old")
NEW = replace(
    OLD,
    records=tuple(
        replace(one, prediction=f"Text {k}") if k < 20 else one for k, one in enumerate(OLD.records)
    ),
    name="new",
)
GRADED = join_for_labels(
    *(
        replace(run, records=tuple(replace(one, scores={"judge": 0.4}) for one in run.records))
        for run in (OLD, NEW)
    )
)
REPEATED = replace(OLD, records=tuple(replace(one, repeat="1") for one in OLD.records))
SHEET = Path("sheet.csv")

plan = partial(plan_labels, OLD, NEW, budget=15, seed=7)


def answered(answer: object) -> object:
    records = [*OLD.records[:7], Record("q7", answer), *OLD.records[8:]]
    return plan_labels(OLD, replace(NEW, records=tuple(records)), budget=9, seed=1)


def filled(change: Callable[[list[list[str]]], object] = lambda rows: None) -> Path:
    """Write a sheet whose answers are all right, after a change to its cells."""
    plan().write(SHEET)
    rows = [line.split(",") for line in SHEET.read_text(encoding="utf-8").splitlines()]
    for row in rows[1:]:
        row[5:7] = ["yes", "yes"]
    change(rows)
    SHEET.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return SHEET


def read(change: Callable[[list[list[str]]], object] = lambda rows: None) -> object:
    return compare_labelled(OLD, NEW, filled(change))


def cell(row: int, column: int, text: str) -> Callable[[list[list[str]]], object]:
    return lambda rows: rows[row].__setitem__(column, text)


def equal_labelled_differently(rows: list[list[str]]) -> None:
    row = next(row for row in rows[1:] if row[3] == row[4])
    row[6] = "no"


def unlabelled(rows: list[list[str]]) -> None:
    for row in rows[1:]:
        row[5:7] = ["?", ""]


def other_runs() -> object:
    filled()
    return compare_labelled(NEW, OLD, SHEET)


def no_key() -> object:
    filled()
    key_path(SHEET).unlink()
    return compare_labelled(OLD, NEW, SHEET)


def broken_key(old: str, new: str) -> object:
    filled()
    key = key_path(SHEET)
    key.write_text(key.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return compare_labelled(OLD, NEW, SHEET)


def command(*arguments: str) -> object:
    """Call a command as the command line does, which turns errors into an exit code."""
    options = cli._options(list(arguments))
    return options.command(options)


def existing_sheet() -> object:
    filled()
    return label._refuse_loss("sheet.csv")


CASES: dict[str, Callable[[], object]] = {
    "labels: allocation": lambda: allocate_labels([50, 50], [1, 1], 3),
    "labels: strata": lambda: stratified_mean_interval([Stratum(3, 2, kept=2)]),
    "labels: no strata": lambda: stratified_mean_interval([]),
    "labels: range": lambda: stratified_mean_interval([Stratum(3, 2)], low=1),
    "labels: budget": lambda: plan(budget=0),
    "labels: no seed": lambda: plan(seed=None),
    "labels: seed": lambda: plan(seed="7"),
    "labels: equal runs": lambda: plan_labels(OLD, OLD, budget=9, seed=1),
    "labels: seed and extend": lambda: plan(extend=SHEET),
    "labels: extend by nothing": lambda: plan(extend=filled(), seed=None),
    "labels: wrong without answers": lambda: plan(unanswered="wrong"),
    "labels: an answer is missing": lambda: answered(None),
    "labels: an answer is an array": lambda: answered([np.arange(2)]),
    "labels: repeats": lambda: plan_labels(REPEATED, REPEATED, budget=9, seed=1),
    "labels: judge": lambda: plan(judge="quality"),
    "labels: candidate": lambda: plan(candidates=[Run((Record("x", "y"),), "third")]),
    "labels: confidence": lambda: plan(confidence=Run(OLD.records[:9], "p")),
    "labels: other runs": other_runs,
    "labels: graded judge": lambda: read_verdicts(GRADED, "judge"),
    "labels: endless threshold": lambda: read_verdicts(GRADED, "judge", threshold=float("inf")),
    "labels: threshold without judge": lambda: compare_labelled(OLD, NEW, filled(), threshold=0.5),
    "labels: cells": lambda: AssistedMean((Cell(0, 3, 2, kept=2),)),
    "labels: cells without labels": lambda: AssistedMean((Cell(0, 3, 2), Cell(1, 3))),
    "labels: verdicts and labels": lambda: leniency_test([[True, False]], [[True, False]] * 2),
    "gate: judge": lambda: Policy(max_nfr="0.1", judge=""),
    "gate: another judge": lambda: check_gate(read(), Policy(max_nfr="0.5", judge="judge")),
    "runs: verdicts once": lambda: settle_verdicts(OLD, "majority"),
    "runs: verdicts on two answers": lambda: settle_verdicts(
        replace(OLD, records=(*OLD.records, replace(OLD.records[7], prediction="x"))), "share"
    ),
    "runs: verdicts of both kinds": lambda: settle_verdicts(
        replace(OLD, records=(*OLD.records, replace(OLD.records[7], scores={"judge": 0.0}))),
        "majority",
    ),
    "runs: graded verdicts": lambda: settle_verdicts(
        replace(OLD, records=(*OLD.records, replace(OLD.records[7], scores={"judge": 0.5}))),
        "majority",
    ),
    "cli: judge without labels": lambda: command(
        "compare", "a.jsonl", "b.jsonl", "--judge", "judge"
    ),
    "labels: no key": no_key,
    "labels: a page as the sheet": lambda: compare_labelled(OLD, NEW, "sheet.html"),
    "labels: key": lambda: broken_key('"checks"', '"check"'),
    "labels: key of another version": lambda: broken_key("version 1", "version 9"),
    "labels: key without stages": lambda: broken_key('"stages": [', '"stages": [], "x": ['),
    "labels: key of other items": lambda: broken_key('"levels": "0', '"levels": "'),
    "labels: missing rows": lambda: read(lambda rows: rows.__delitem__(slice(3, 9))),
    "labels: contradiction": lambda: read(equal_labelled_differently),
    "labels: one of two": lambda: read(cell(3, 6, "")),
    "labels: none": lambda: read(
        lambda rows: [row.__setitem__(slice(5, 7), "??") for row in rows[1:]]
    ),
    "labels: columns": lambda: read(cell(0, 6, "right")),
    "labels: row of another sheet": lambda: read(cell(3, 8, "0123456789ab")),
    "labels: number of a row": lambda: read(cell(3, 0, "99")),
    "labels: row twice": lambda: read(cell(3, 0, "1")),
    "labels: changed answer": lambda: read(cell(3, 3, "text")),
    "labels: word": lambda: read(cell(3, 5, "maybe")),
    "labels: counts": lambda: read().counts,  # type: ignore[attr-defined]
    "labels: a limit of equivalence": lambda: check_gate(
        read(), Policy(max_nfr="0.5", max_churn="0.6")
    ),
    "labels: lost items as fixed": lambda: read().fixed_case,  # type: ignore[attr-defined]
    "labels: units": lambda: read().units("negative"),  # type: ignore[attr-defined]
    "labels: rate": lambda: read().bounds("churn"),  # type: ignore[attr-defined]
    "labels: limits of parts": lambda: check_gate(
        read(),
        Policy(max_nfr="0.5", protected=("x",)),  # type: ignore[arg-type]
    ),
    "cli: label of one run": lambda: command(
        "label", "old.jsonl", "--budget", "9", "-o", "sheet.csv"
    ),
    "cli: label onto a sheet": existing_sheet,
    "cli: label by references": lambda: command(
        "label", "a.jsonl", "b.jsonl", "--budget", "9", "-o", "s.csv", "--reference", "gold.jsonl"
    ),
    "cli: label to standard output": lambda: label._refuse_loss("-"),
    "cli: labels and a metric": lambda: command(
        "compare", "a.jsonl", "b.jsonl", "--labels", "sheet.csv", "--metric", "rouge1"
    ),
    "cli: labels of three runs": lambda: command(
        "compare", "a.jsonl", "b.jsonl", "c.jsonl", "--labels", "sheet.csv"
    ),
}
