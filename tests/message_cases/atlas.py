"""Messages about public updates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from muscle_metrics.atlas.limits import usual_rates
from muscle_metrics.atlas.placing import place
from muscle_metrics.atlas.table import check_like
from muscle_metrics.comparison.compare import compare, compare_runs
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale import CountedComparison, Totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.comparison.comparison import Comparison

WATCHED = ["atlas/placing", "atlas/table"]


def counted(items: int, broken: int, fixed: int = 0, **options: bool) -> CountedComparison:
    old = ["A"] * (items - fixed) + ["B"] * fixed
    new = ["B"] * broken + ["A"] * (items - broken)
    comparison = compare(old=old, new=new, references=["A"] * items)
    return CountedComparison(
        names=("v1", "v2"), totals=Totals.of(comparison), dropped={}, recipe={}, **options
    )


def graded(threshold: float | None = None) -> Comparison:
    runs = [
        Run(tuple(Record(str(i), scores={"judge": score}) for i in range(300)), name)
        for name, score in (("v1", 0.9), ("v2", 0.4))
    ]
    return compare_runs(*runs, threshold=threshold)


def tasks(*names: str, lost: int = 0) -> Comparison:
    rows = [Record(f"{name}{i}", "A", "A", task=name) for name in names for i in range(300)]
    new = [*rows[lost:-9], *(replace(row, prediction="B") for row in rows[-9:])]
    return compare_runs(Run(tuple(rows), "v1"), Run(tuple(new), "v2"), missing="drop")


CASES: dict[str, Callable[[], object]] = {
    "atlas accuracy": lambda: usual_rates(old_accuracy=80),
    "atlas few items": lambda: place(counted(199, 9)),
    "atlas graded": lambda: place(graded()),
    "atlas lost": lambda: place(tasks("math", lost=9)),
    "atlas name": lambda: check_like("gsm8k"),
    "atlas none broke": lambda: place(counted(200, 0)),
    "atlas old all right": lambda: place(counted(300, 30)),
    "atlas skipped": lambda: place(replace(counted(300, 30, fixed=9), recipe={"skipped": "9"})),
    "atlas tasks": lambda: place(tasks("math", "law")),
    "atlas threshold": lambda: place(graded(0.5)),
    "atlas units": lambda: place(counted(300, 40, 9, is_repeated=True)),
    "atlas wide": lambda: place(
        compare(old=["A"] * 390 + ["B"] * 10, new=["A"] * 386 + ["B"] * 14, references=["A"] * 400)
    ),
}
