"""Messages about runs larger than memory, and about partial states that do not add."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import FlipCounts, Policy, check_gate, compare
from muscle_metrics.cli.engine import compare_on_engine
from muscle_metrics.comparison.totals import Cell
from muscle_metrics.distributed import compare_datasets, count_flips_dataset
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.scale import CountedComparison, FlipSample, ScoreTotals, Totals, compare_files
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.loading import code_rows
from muscle_metrics.scale.sources import open_runs
from muscle_metrics.statistics.exact_sums import ExactSum

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "cli/engine",
    "gate/criteria",
    "distributed/comparing",
    "distributed/scoring",
    "comparison/counted",
    "comparison/flip_sample",
    "flips/score_totals",
    "scale/choices",
    "scale/database",
    "scale/flaws",
    "scale/loading",
    "scale/sources",
    "scale/streaming",
    "comparison/totals",
    "statistics/exact_sums",
]


def on_disk(*rows: dict[str, Any] | str, old: str | None = None, **options: Any) -> object:
    pytest.importorskip("duckdb")
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path("test.jsonl").write_text("\n".join(lines), encoding="utf-8")
    good = {"id": 1, "prediction": "A", "reference": "A", "judge": 1}
    Path("old.jsonl").write_text(json.dumps(good) if old is None else old, encoding="utf-8")
    return compare_files("old.jsonl", "test.jsonl", **options)


def graded(**options: Any) -> Totals:
    return Totals.of(compare(old=["a"], new=["b"], references=["a"], **options))


def judged(*rows: dict[str, Any], **options: Any) -> object:
    reading = {"score_field": "judge"}
    return on_disk(*rows, old_options=reading, new_options=reading, **options)


def in_columns(*shards: dict[str, list[Any]], **reading: Any) -> object:
    pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    Path("shards").mkdir()
    for letter, columns in zip("ab", shards, strict=False):
        parquet.write_table(pa.table(columns), f"shards/{letter}.parquet")
    return compare_files("shards", "shards", old_options=reading, new_options=reading)


def of_answer(**options: Any) -> object:
    row = {"id": 1, "prediction": "A", "reference": "A", "judge": 1}
    return on_disk(row, old=json.dumps(row), **options)


def from_empty_folder() -> object:
    Path("old.runs").mkdir()
    return compare_files("old.runs", "old.runs")


def of_two_formats() -> object:
    Path("runs").mkdir()
    Path("runs", "a.csv").write_text("id,prediction\n1,A\n", encoding="utf-8")
    Path("runs", "b.jsonl").write_text('{"id": 1, "prediction": "A"}', encoding="utf-8")
    return compare_files("runs", "runs")


def change_while_reading() -> None:
    duckdb = pytest.importorskip("duckdb")
    with reading():
        raise duckdb.IOException("IO Error: no such file")


def code_without_room() -> object:
    duckdb = pytest.importorskip("duckdb")
    Path("old.csv").write_text("id,prediction\n1,A\n", encoding="utf-8")
    run, _ = open_runs("old.csv", "old.csv", {}, {}, None)
    with duckdb.connect(config={"temp_directory": "missing"}) as database:
        return code_rows(database, run, run.files, "old_rows")


def with_flags(*paths: str, key: Any = None, **flags: Any) -> object:
    options = Namespace(**{"engine": "duckdb", "address": None, "memory": None, **flags})
    return compare_on_engine(options, paths or ("old.jsonl", "new.jsonl"), {"key": key})


class Rows:
    """What is asked of a data set before anything runs."""

    def __init__(self, *columns: str) -> None:
        self.names = columns

    def schema(self) -> Rows | None:
        return self if self.names else None

    def map_batches(self, *_: Any, **__: Any) -> Rows:
        return self

    def iter_rows(self) -> list[Any]:
        return []


def on_cluster(*columns: str, **options: Any) -> object:
    pytest.importorskip("ray")
    return compare_datasets(Rows(*columns), Rows(*columns), **options)


def counted_of(
    metric: str = "exact_match", totals: Totals | None = None, **kinds: bool
) -> CountedComparison:
    texts = {"old": ["a b"], "new": ["a b"], "references": ["a b"], "slices": ["x"]}
    totals = totals or Totals.of(compare(**texts, metric=metric))
    return CountedComparison(names=("v1", "v2"), totals=totals, dropped={}, recipe={}, **kinds)


def gated(*, is_repeated: bool = False, is_grouped: bool = False, **limits: Any) -> object:
    given = {name: limits.pop(name) for name in ("metric", "totals") if name in limits}
    counted = counted_of(**given, is_repeated=is_repeated, is_grouped=is_grouped)
    return check_gate(counted, Policy(max_nfr="0.99", **limits))


def silent() -> Totals:
    """Totals of runs without answers."""
    counts = FlipCounts(both_right=1, negative=0, positive=0, both_wrong=0)
    return replace(
        Totals.of(compare(old=["a"], new=["a"], references=["a"])), cells={Cell(): counts}
    )


CASES: dict[str, Callable[[], object]] = {
    "engine: a chain": lambda: with_flags("a", "b", "c"),
    "engine: an address": lambda: with_flags(address="auto"),
    "engine: memory of another engine": lambda: with_flags(engine="ray", memory="1GB"),
    "engine: a key": lambda: with_flags(key=str.lower),
    "engine: references apart": lambda: with_flags(reference="test.csv"),
    "gate of counts: answers that are not recorded": lambda: gated(
        max_nfr_mc="0.995", totals=silent()
    ),
    "gate of counts: lost items at one end alone": lambda: replace(
        counted_of(), worst=counted_of().totals
    ).fixed_case,
    "gate of counts: another metric": lambda: gated(metrics={"rouge1": "0.9"}),
    "gate of counts: another slice": lambda: gated(slices={"y": "0.9"}),
    "gate of counts: a larger effect": lambda: gated(metric="rouge1", minimum_effect=0.5),
    "gate of counts: groups of scores": lambda: gated(metric="rouge1", is_grouped=True),
    "gate of counts: limits on items": lambda: gated(pinned=frozenset({"q1"})),
    "gate of counts: no threshold": lambda: gated(metric="rouge1", slices={"x": "0.9"}),
    "gate of counts: repeats": lambda: gated(is_repeated=True),
    "ray: no rows": on_cluster,
    "ray: no rows to count": lambda: count_flips_dataset(Rows()),
    "ray: references in neither data set": lambda: on_cluster(
        "id", "prediction", "judge", score="judge", reference="gold"
    ),
    "ray: another column": lambda: on_cluster("question_id", "prediction"),
    "scale: a folder without files": from_empty_folder,
    "scale: a line that is cut off": lambda: on_disk('{"id": 1, "prediction": "A"'),
    "scale: rows that change while they are read": change_while_reading,
    "scale: no room for coded rows": code_without_room,
    "scale: a reference that readers cannot read": lambda: of_answer(answer="number"),
    "scale: a log": lambda: of_answer(new_options={"format": "lm-eval"}),
    "scale: a list without answers": lambda: on_disk(
        {"id": 1, "prediction": "A", "reference": []},
        old='{"id": 1, "prediction": "A", "reference": []}',
    ),
    "scale: a nested answer": lambda: on_disk({"id": 1, "prediction": ["A"], "reference": "A"}),
    "scale: another metric in a shard": lambda: graded(metric="rouge1") + graded(metric="chrf"),
    "scale: another quadrant": lambda: on_disk(
        {"id": 1, "prediction": "A", "reference": "A"}
    ).flips("positive"),
    "scale: another sample": lambda: (
        FlipSample.draw([], size=1, seed=0) + FlipSample.draw([], size=2, seed=0)
    ),
    "scale: another tie": lambda: (
        ScoreTotals.of(measure_changes(old=[0.1], new=[0.2]))
        + ScoreTotals.of(measure_changes(old=[0.1], new=[0.2], tie=0.5))
    ),
    "scale: counts of graded scores": lambda: judged(
        {"id": 1, "judge": 0.5}, score_range=(0, 1)
    ).counts,
    "scale: a field that the first row lacks": lambda: of_answer(old_options={"slice_field": "x"}),
    "scale: a slice that is a list": lambda: on_disk(
        {"id": 1, "prediction": "A", "reference": "A", "x": "law"},
        {"id": 2, "prediction": "A", "reference": "A", "x": ["law"]},
        new_options={"slice_field": "x"}, missing="drop",
    ),
    "scale: an option of logs": lambda: of_answer(new_options={"task": "sums"}),
    "scale: an unknown choice": lambda: of_answer(conflict="mine"),
    "scale: a threshold without a score": lambda: of_answer(threshold=0.5),
    "scale: a threshold that is no number": lambda: of_answer(threshold=float("nan")),
    "scale: a score of one run": lambda: of_answer(
        old_options={"score_field": "judge"}, metric="judge"
    ),
    "scale: options of exact_match": lambda: of_answer(
        metric="exact_match", options={"exact_match": {"strip": True}}
    ),
    "scale: a recorded score behind a threshold": lambda: of_answer(
        old_options={"score_field": "judge"}, new_options={"score_field": "judge"},
        metric=["chrf", "judge"], threshold=0.5,
    ),
    "scale: a sample of everything": lambda: of_answer(sample_size=10**9),
    "scale: dates as slices": lambda: in_columns(
        {
            "id": [1, 2],
            "prediction": ["A", "A"],
            "x": np.array(["", "2026-01-01"], "datetime64[s]"),
        },
        slice_field="x",
    ),
    "scale: memory that is no size": lambda: of_answer(memory="much"),
    "scale: memory of an unknown unit": lambda: of_answer(memory="5XB"),
    "scale: no row of the one model": lambda: of_answer(new_options={"where": {"id": "2"}}),
    "scale: no row of either model": lambda: of_answer(
        old_options={"where": {"id": "2"}}, new_options={"where": {"id": "2"}}
    ),
    "scale: nothing left": lambda: on_disk(
        {"id": 1, "prediction": "A", "reference": "B"}, conflict="drop"
    ),
    "scale: too little memory": lambda: of_answer(memory="1MB"),
    "scale: two metrics that rows tell": lambda: of_answer(
        old_options={"score_field": "judge"}, new_options={"score_field": "judge"},
        metric=["judge", "exact_match"],
    ),
    "scale: idf of parts": lambda: on_disk(
        {"id": 1, "prediction": "A", "reference": "A"},
        metric="bertscore",
        options={"bertscore": {"model": ".", "idf": True}},
    ),
    "scale: no reference": lambda: on_disk(
        {"id": 1, "prediction": "A"}, old='{"id": 1, "prediction": "A"}'
    ),
    "scale: a null score": lambda: judged({"id": 1, "judge": None}),
    "scale: other formats": of_two_formats,
    "scale: sum of nan": lambda: ExactSum.of([1.0, np.nan]),
    "scale: text against a number": lambda: on_disk(
        {"id": 1, "prediction": 1, "reference": "A"}
    ),
}  # fmt: skip
