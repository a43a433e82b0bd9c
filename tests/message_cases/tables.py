"""Messages about tables in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = ["runs/tables"]

RUN = Run((Record("1", "A", "A"),), "v1")

CASES: dict[str, Callable[[], object]] = {
    "tables: a series": lambda: read_run(pd.Series(["A"])),
    "tables: columns by name": lambda: read_run({"id": [1], "prediction": ["A"]}),
    "tables: no field of that name": lambda: read_run([{"id": 1, "answer": "A"}]),
    "tables: rows that are no dicts": lambda: read_run([["1", "A"]]),
    "tables: two columns of one name": lambda: read_run(pd.DataFrame([[1, 2]], columns=["a", "a"])),
    "tables: no row": lambda: read_run([]),
    "tables: a task": lambda: read_run([{"id": 1, "prediction": "A"}], task="sums"),
    "tables: options for runs": lambda: compare_runs(RUN, RUN, slice_field="topic"),
}
