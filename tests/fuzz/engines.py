"""Whatever rows hold, an engine says what memory says, and refuses what memory refuses.

Two random tables are written as JSON Lines, Parquet or CSV, plain or compressed, in one file or
in shards, with bad rows anywhere. They are compared in memory and by DuckDB.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow
from pyarrow import csv, parquet

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.scale import Totals, compare_files
from tests.fuzz.cases import Case, Fault, as_bytes
from tests.fuzz.odd_values import ODD_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

CASES_OF_A_TABLE = 5
TEXTS = ["A", "B", "да", "水 火", "", "é\n", "e\u0301", '"', "\\u0041", "null", "1", "NaN", "a b"]
NUMBERS = [0, 1, 1.0, 2.5, -3, 1e15, 0.1, 5e-324, 2**53, 2**53 + 1, -0.0, 10**17, 1e308]
SCORES = [0, 1, True, False, 0.25, 1.0, -1, None, "N/A", 1e308, -1e308]
LABELS = ["x", "y", "сложно"]
ODD_LABELS = [None, 1, 2.5, True, ""]
IDS = ["0", "a", "é\"'\\", "x y", 0.5, 1e-7, 1e16, 7, "7", 2**53, 2**53 + 1, "\u2028", "café"]
# Lines that are no row, or no row of this table.
LINES = [
    "", "   ", "{", "[]", "null", "{}", '{"id": 1', '{"id": 1, "id": 2}', '{"id": null}', "\ufeff",
    '{"id": 3, "prediction": "A", "reference": "A",}', "\udcff", '{"id": "q1"} x', "# comment",
    '{"id": 4, "prediction": NaN, "reference": "A"}', '{"id":5,"prediction":"A","reference":"A"}\r',
    '{"id": 6, "prediction": "\udcc3", "reference": "A"}', '{"ID": 7, "Prediction": "A"}',
    '{"id": 8, "prediction": "A", "reference": "A", "x": {"a": 1, "a": 2}}',
    '{"id": 9, "prediction": "A", "reference": "A", "x": ' + "[" * 600 + "]" * 600 + "}",
    '{"id": 10, "prediction": "A", "reference": "A", "x": ' + "9" * 5000 + "}",
    '{"id": 11, "prediction": "A", "reference": "A", "x": [1,]}',
    '{"id": 12, "prediction": "A", "reference": "A"}\x00',
]  # fmt: skip
MARK = "\u2603 raw"
RANGES = [None, None, (0, 1), (-1e100, 1e100), (-1e308, 1e308), (0, 500)]
READING = {
    "score_field": "judge", "slice_field": "topic", "group_field": "passage",
    "prompt_field": "prompt", "repeat_field": "k",
}  # fmt: skip
DOTTED = {"prediction_field": "out.answer", "score_field": "out.judge"}


def draw(rng: Random) -> Iterator[Case]:
    """Yield cases about one pair of tables, with different bad rows and options."""
    form = rng.choice(["jsonl", "jsonl", "jsonl", "parquet", "csv"])
    kinds = ["texts", "lists", "numbers", "flags"] if form == "parquet" else ["texts"]
    kind = rng.choice(["texts", "texts", "lists", "numbers", "mixed", "flags"]
                      if form == "jsonl" else kinds)  # fmt: skip
    reading = {name: READING[name] for name in READING if rng.random() < 0.3}
    if is_dotted := form == "jsonl" and rng.random() < 0.15:
        reading |= DOTTED
    rows = range(rng.choice([2, 5, 12]))
    old = [_row(rng, n, kind, form, is_dotted=is_dotted) for n in rows]
    new = [{**row, **_answer(rng, kind, row, is_dotted=is_dotted)} for row in old]
    rng.shuffle(new)
    for _ in range(CASES_OF_A_TABLE):
        tables = [[json.dumps(row) for row in rows] for rows in (old, new)]
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            _spoil(rng, rng.choice(tables), form)
        yield {
            "form": form,
            "packing": rng.choice(["plain", "plain", "gz", "zst"]),
            "shards": rng.choice([1, 1, 3]),
            "old": tables[0],
            "new": tables[1],
            "reading": reading,
            "options": _options(rng, reading, kind),
        }


def check(case: Case, folder: Path) -> str:
    """Compare in memory and by DuckDB; both must count the same, or refuse."""
    shutil.rmtree(folder, ignore_errors=True)
    wholes, parts = [], []
    for side in ("old", "new"):
        lines = [as_bytes(line) for line in case[side]]
        size = -(-len(lines) // case["shards"])
        shards = [lines[n : n + size] for n in range(0, len(lines), size)]
        try:
            wholes.append(_write(folder / "whole" / side, [lines], case))
            parts.append(_write(folder / "parts" / side, shards, case))
        except (pyarrow.ArrowException, ValueError, OverflowError):
            return "no such table"
    reading, options = case["reading"], _with_tuples(case["options"])
    # An engine judges no repeats.
    is_judged = "repeat_field" not in reading
    in_memory = _outcome(
        lambda: compare_runs(*(read_run(path, **reading) for path in wholes), **options),
        is_judged=is_judged,
    )
    by_engine = _outcome(
        lambda: compare_files(
            *parts, old_options=reading, new_options=reading, threads=1, **options
        ),
        is_judged=is_judged,
    )
    if isinstance(by_engine, str) and "--engine" in by_engine:
        # What the engine cannot do it says, and names the way out.
        return "the engine sends to memory"
    if isinstance(in_memory, str) and isinstance(by_engine, str):
        return "both refuse"
    if isinstance(by_engine, dict) and by_engine["verdict"] == "UsageError":
        # An engine refuses to judge groups of graded scores.
        by_engine["verdict"] = in_memory["verdict"] if isinstance(in_memory, dict) else ""
    if in_memory != by_engine:
        kinds = ["refused" if isinstance(found, str) else "counted"
                 for found in (in_memory, by_engine)]  # fmt: skip
        kind = f"{kinds[0]} in memory, {kinds[1]} by the engine"
        raise Fault(f"{kind}: {_difference(in_memory, by_engine)}",
                    f"\nmemory {in_memory}\nengine {by_engine}")  # fmt: skip
    return f"equal, {in_memory['verdict']}"


def _difference(first: Any, second: Any) -> str:
    """What differs, without values."""
    for found in (first, second):
        if isinstance(found, str):
            return " ".join(word for word in found.split() if word.isalpha())[:60]
    return ", ".join(name for name in first if first[name] != second[name])


def _outcome(compare: Callable[[], Any], *, is_judged: bool) -> Any:
    """What a comparison counted, or the message that refused it."""
    try:
        found = compare()
    except MuscleMetricsError as error:
        return f"{type(error).__name__} {error}"
    cases = {}
    for name, case in (("observed", found), ("worst", found.worst_case)):
        totals = getattr(case, "totals", None) or Totals.of(case)
        changes = {key: (of.total, of.negative, of.positive) for key, of in case.changes.items()}
        cases[name] = (totals.items, totals.cells, totals.scores, changes)
    totals = getattr(found, "totals", None) or Totals.of(found)
    return {
        **cases,
        "flips": {(flip.id, flip.repeat, flip.slice) for flip in totals.sample.items()},
        "lost": dict(found.lost),
        "dropped": dict(found.dropped),
        "labels": found.labels_from_new,
        "verdict": _verdict(found) if is_judged else "",
    }


def _verdict(comparison: Any) -> str:
    try:
        return str(check_gate(comparison, Policy(max_nfr="0.9", min_coverage="0.5")).outcome)
    except MuscleMetricsError as error:
        return type(error).__name__


# Tables


def _row(rng: Random, number: int, kind: str, form: str, *, is_dotted: bool) -> dict[str, Any]:
    # A column of Parquet and of CSV holds values of one type.
    is_odd = form == "jsonl" and rng.random() < 0.1
    labels = ODD_LABELS if is_odd else LABELS
    row = {
        "id": number if form == "jsonl" and rng.random() < 0.5 else f"q{number}",
        "reference": _reference(rng, kind if form == "jsonl" or kind != "lists" else "two"),
        "topic": rng.choice(labels),
        "passage": rng.choice(labels),
        "prompt": "что?",
        "k": rng.choice([1, 2]) if form == "jsonl" else 1,
    }
    return {**row, **_answer(rng, kind, row, is_dotted=is_dotted)}


def _reference(rng: Random, kind: str) -> Any:
    if kind == "two":
        return rng.sample(TEXTS, 2)
    if kind == "lists":
        return rng.choice([rng.choice(TEXTS), rng.sample(TEXTS, rng.choice([1, 2, 3]))])
    if kind == "flags":
        return rng.random() < 0.5
    return rng.choice({"numbers": NUMBERS, "mixed": [*TEXTS, *NUMBERS]}.get(kind, TEXTS))


def _answer(rng: Random, kind: str, row: dict[str, Any], *, is_dotted: bool) -> dict[str, Any]:
    """An answer, right in half of all cases, and a score; nested where fields have dots."""
    right = row["reference"]
    if isinstance(right, list):
        right = rng.choice(right)
    answer = right if rng.random() < 0.5 else _reference(rng, "texts" if kind == "lists" else kind)
    if rng.random() < 0.03:
        answer = None
    judge = rng.choice(SCORES) if rng.random() < 0.02 else rng.choice([0, 1])
    if is_dotted:
        return {"out": {"answer": answer, "judge": judge}}
    return {"prediction": answer, "judge": judge}


def _spoil(rng: Random, lines: list[str], form: str) -> None:
    """Make one row bad, in place."""
    at = rng.randrange(len(lines))
    how = rng.choice(["drop", "drop", "repeat", "rename"])
    # All rows of a table have its columns.
    if form == "jsonl" and rng.random() < 0.7:
        how = rng.choice(["line", "odd", "odd", "shadow", "cut", "lose"])
    try:
        row = json.loads(lines[at])
        key = rng.choice(sorted(row))
    except (ValueError, IndexError, TypeError, RecursionError):
        # A row that is bad already, such as one that is nested too deep for Python.
        return
    if how == "line":
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES))
    elif how == "odd":
        odd = rng.choice(sorted(ODD_VALUES))
        if rng.random() < 0.3 and isinstance(row.get("out"), dict):
            row["out"][rng.choice(["answer", "judge", "more"])] = MARK
        else:
            row[key] = MARK
        lines[at] = json.dumps(row).replace(json.dumps(MARK), ODD_VALUES[odd])
    elif how == "drop" and len(lines) > 1:
        del lines[at]
    elif how == "repeat":
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
    elif how == "lose":
        lines[at] = json.dumps({name: value for name, value in row.items() if name != key})
    elif how == "rename":
        row["id"] = rng.choice(IDS)
        lines[at] = json.dumps(row)
    elif how == "shadow":
        lines[at] = json.dumps({**row, "out.answer": "A", "out": {"answer": "B", "judge": 1}})
    elif how == "cut":
        lines[at] = lines[at][: rng.randrange(len(lines[at]))]


def _options(rng: Random, reading: dict[str, Any], kind: str) -> dict[str, Any]:
    metrics = [None, None, None, "exact_match", "judge"]
    if kind in ("texts", "lists"):
        metrics += ["token_f1", "ter"]
    options = {
        "missing": rng.choice(["drop", "drop", "error"]),
        "conflict": rng.choice(["own", "first", "last", "drop", "error"]),
        "unanswered": rng.choice(["wrong", "drop", "error"]),
        "metric": rng.choice(metrics) if "score_field" in reading else None,
        "threshold": rng.choice([None, None, 0.5]) if "score_field" in reading else None,
        "score_range": rng.choice(RANGES) if "score_field" in reading else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _with_tuples(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }


# Files


def _write(folder: Path, shards: list[list[bytes]], case: Case) -> Path:
    """Write shards into a folder; return it, or the only shard."""
    folder.mkdir(parents=True)
    packing = case["packing"] if case["form"] != "parquet" else "plain"
    # A shard without any row is refused: what wrote it may have lost them.
    shards = [lines for lines in shards if any(map(bytes.strip, lines))] or shards[:1]
    for number, lines in enumerate(shards):
        content = _content(case["form"], lines)
        name = f"part-{number}.{case['form']}"
        if packing == "gz":
            name, content = f"{name}.gz", gzip.compress(content)
        elif packing == "zst":
            name, content = f"{name}.zst", pyarrow.compress(content, codec="zstd", asbytes=True)
        (folder / name).write_bytes(content)
    return folder if len(shards) > 1 else folder / name


def _content(form: str, lines: list[bytes]) -> bytes:
    if form == "jsonl":
        return b"".join(line + b"\n" for line in lines)
    table = pyarrow.Table.from_pylist([json.loads(line) for line in lines])
    content = io.BytesIO()
    if form == "parquet":
        parquet.write_table(table, content)
    else:
        csv.write_csv(table, content)
    return content.getvalue()
