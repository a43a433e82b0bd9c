"""The law of odd values: whatever a row holds, the error is ours, in one line.

A small log of every shape that can be read gets an odd value (null, a list, 400 digits, a lone
surrogate, deep nesting, ...) in the place of any value, at any depth, in a row that is not the
first. Then it is read, compared, gated and written to every report.

Run as ``python -m tests.fuzz.odd_values --seconds 3600``; ``--all`` puts every value everywhere.
"""

from __future__ import annotations

import argparse
import copy
import csv
import io
import json
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.reports.annotations import verdict_annotations
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.reports.flips import first_flips, flip_lines
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from tests.runs.readers import test_damage, test_damage_of_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from muscle_metrics.runs.record import Run

    Files = dict[str, Any]

ROWS = 12
# Odd values are put here: not in the first row, by which formats are recognised.
DAMAGED = (2, ROWS - 1)
# Stands for an odd value until the document is text.
MARK = "\x00odd\x00"
# An exception that is a fault of this package, or a case that took this long, ends a search.
MOST_SECONDS = 5.0

# Values as texts of JSON: some of them are no value of Python.
ODD_VALUES = {
    "null": "null",
    "true": "true",
    "false": "false",
    "zero": "0",
    "minus zero": "-0.0",
    "a list": "[]",
    "a list of null": "[null]",
    "an object": "{}",
    "an object with an empty key": '{"": {"": []}}',
    "nested lists": '[["x"]]',
    "a mixed list": '[1, "a", null, {"b": [true]}]',
    "400 digits": "1" + "0" * 400,
    "minus 400 digits": "-1" + "0" * 400,
    "5000 digits": "9" * 5000,
    "beyond 2**53": "9007199254740993",
    "the largest float": "1.7976931348623157e308",
    "1e308": "1e308",
    "minus 1e308": "-1e308",
    "the smallest float": "5e-324",
    "beyond all floats": "1e400",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "no text": '""',
    "a blank": '" "',
    "a surrogate": r'"\ud800"',
    "NUL": r'"\u0000"',
    "the text NaN": '"NaN"',
    "the text 1e400": '"1e400"',
    "a text of digits": '"١٢٣"',
    "JSON in text": r'"{\"a\": [1e400]}"',
    "a long text": '"' + "ы" * 70_000 + '"',
    "deep nesting": "[" * 300 + "]" * 300,
    "nesting near the stack": '{"a":[' * 430 + "]}" * 430,
    "nesting beyond the stack": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "a key twice": '{"a": 1, "a": 2}',
}


def plain_rows(broken: frozenset[int]) -> list[dict[str, Any]]:
    """Rows of a plain file with every field that can be named."""
    return [
        {
            "id": f"q{n}",
            "prediction": "нет" if n in broken else "да",
            "reference": "да",
            "score": 0.25 if n in broken else 1.0,
            "slice": "ab"[n % 2],
            "group": f"g{n // 2}",
            "prompt": f"{n}?",
            "model": "v",
        }
        for n in range(ROWS)
    ]


def nested_rows(broken: frozenset[int]) -> list[dict[str, Any]]:
    """Rows whose fields are inside of objects and lists."""
    return [
        {"meta": {"key": n}, "out": {"answer": row["prediction"]}, "gold": [row["reference"], "Да"]}
        for n, row in enumerate(plain_rows(broken))
    ]


def baseline_rows(broken: frozenset[int]) -> list[dict[str, Any]]:
    """Rows of a committed baseline."""
    head = {"muscle_metrics_baseline": 1, "name": "v", "items": ROWS, "fingerprint": {"judge": "j"}}
    rows = plain_rows(broken)
    return [
        head,
        *({"id": r["id"], "slice": r["slice"], "scores": {"em": r["score"]}} for r in rows),
    ]


FIELDS = {f"{name}_field": name for name in ("score", "slice", "group", "prompt")}
NESTED = {"id_field": "meta.key", "prediction_field": "out.answer", "reference_field": "gold"}


@dataclass(frozen=True)
class Shape:
    """A kind of log: its files by name, and the options that read it."""

    files: Callable[[str, frozenset[int]], Files]
    options: Mapping[str, Any]


def _plain(name: str, rows: Callable[[frozenset[int]], Any], **options: Any) -> Shape:
    return Shape(lambda _, broken: {name: rows(broken)}, options)


def _harness(name: str, files: Callable[[str, frozenset[int]], Files]) -> Shape:
    return Shape(files, {"format": name.split()[0]})


def _log_of_rows(name: str) -> Shape:
    log = test_damage_of_rows.LOGS[name]

    def files(_: str, broken: frozenset[int]) -> Files:
        rows = log.rows(lambda number: number not in broken)[:ROWS]
        text = log.text(rows)
        if not log.name.endswith(".jsonl"):
            return {log.name: json.loads(text)}
        return {log.name: [json.loads(line) for line in text.splitlines()]}

    return _harness(name, files)


SHAPES: dict[str, Shape] = {
    "jsonl": _plain("run.jsonl", plain_rows, **FIELDS),
    "jsonl answers": _plain("run.jsonl", plain_rows, where={"model": "v"}),
    "jsonl nested": _plain("run.jsonl", nested_rows, **NESTED),
    "json": _plain("run.json", plain_rows, **FIELDS),
    "csv": _plain("run.csv", plain_rows, **FIELDS),
    "tsv": _plain("run.tsv", plain_rows, missing_score="-1", **FIELDS),
    "parquet": _plain("run.parquet", plain_rows, **FIELDS),
    "parquet nested": _plain("run.parquet", nested_rows, **NESTED),
    "baseline": _plain("v.baseline", baseline_rows),
    **{name: _harness(name, files) for name, files in test_damage.LOGS.items()},
    **{name: _log_of_rows(name) for name in test_damage_of_rows.LOGS},
}


@dataclass(frozen=True)
class Case:
    """One odd value in one place of the log of one run, or of both."""

    shape: str
    file: str
    place: tuple[Any, ...]
    new: str
    old: str | None = None

    def __str__(self) -> str:
        where = "/".join(map(str, self.place))
        odd = self.new if self.old is None else f"{self.new}, in OLD {self.old}"
        return f"{self.shape}: {self.file}: {where}: {odd}"


BROKEN = frozenset({3, 5})


def all_places(shape: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Every place of a log of a shape that can get an odd value."""
    files = SHAPES[shape].files("v2", BROKEN)
    return [(file, place) for file, document in files.items() for place in places(document)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values in a document, of a long list only the damaged rows."""
    if path:
        yield path
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        rows = range(len(value)) if len(value) < ROWS else DAMAGED
        parts = [(number, value[number]) for number in rows]
    for name, part in parts:
        yield from places(part, (*path, name))


def all_cases(shapes: Sequence[str] = tuple(SHAPES)) -> Iterator[Case]:
    """Every odd value in every place of some shapes."""
    for shape in shapes:
        for file, place in all_places(shape):
            for odd in ODD_VALUES:
                yield Case(shape, file, place, odd)


def draw_cases(seed: int | str, shapes: Sequence[str] = tuple(SHAPES)) -> Iterator[Case]:
    """Cases without end; in half of them OLD holds an odd value in the same place too."""
    rng = random.Random(seed)
    found = {shape: all_places(shape) for shape in shapes}
    names = sorted(ODD_VALUES)
    while True:
        shape = rng.choice(shapes)
        file, place = rng.choice(found[shape])
        old = rng.choice(names) if rng.random() < 0.5 else None
        yield Case(shape, file, place, rng.choice(names), old)


def with_odd(document: Any, place: tuple[Any, ...]) -> Any:
    """Copy a document with the mark in one place."""
    changed = copy.deepcopy(document)
    parent = changed
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = MARK
    return changed


def encode(name: str, document: Any, odd: str | None) -> bytes | None:
    """Content of a file with an odd value at the mark; None where its format cannot hold that."""
    if name.endswith(".parquet"):
        return _parquet(document, odd)
    if name.endswith((".csv", ".tsv")):
        text = _delimited(document, "excel-tab" if name.endswith(".tsv") else "excel", odd)
    elif isinstance(document, list) and not name.endswith(".json"):
        text = "".join(json.dumps(row) + "\n" for row in document)
    else:
        text = json.dumps(document)
    shown = json.dumps(MARK)
    return text.replace(shown, odd or "").encode("utf-8", "surrogatepass")


def _delimited(rows: list[dict[str, Any]], dialect: str, odd: str | None) -> str:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, list(plain_rows(BROKEN)[0]), dialect=dialect)
    writer.writeheader()
    blank = dict.fromkeys(rows[0], odd or "")
    rows = [blank if row == MARK else row for row in rows]
    writer.writerows({k: odd if v == MARK else v for k, v in row.items()} for row in rows)
    return sink.getvalue()


def _parquet(rows: Any, odd: str | None) -> bytes | None:
    import pyarrow
    from pyarrow import parquet

    try:
        value = None if odd is None else json.loads(odd)
        table = pyarrow.Table.from_pylist(_replaced(rows, value))
        sink = io.BytesIO()
        parquet.write_table(table, sink)
    except Exception:
        # One column holds values of one type; text with a surrogate is no UTF-8.
        return None
    return sink.getvalue()


def _replaced(value: Any, odd: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(part, odd) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, odd) for part in value]
    return odd if isinstance(value, str) and value == MARK else value


class Trial:
    """Reads, compares, gates and reports the runs of cases, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: dict[str, Run] = {}

    def outcome(self, case: Case) -> str:
        """How a case ends: an outcome of the gate, "refused", or "impossible" in its format.

        Raises
        ------
        AssertionError
            If an error has more than one line, or does not fit a line of a log.
        Exception
            Any other than ours is a fault of this package.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                old = self._old(case)
                new = self._read("new", case.shape, case, case.new)
                return "impossible" if old is None or new is None else report(old, new)
            except MuscleMetricsError as error:
                check_message(str(error))
                return "refused"

    def _old(self, case: Case) -> Run | None:
        if case.old is not None:
            return self._read("old", case.shape, case, case.old)
        if case.shape not in self._whole:
            run = self._read("old", case.shape, None, None)
            assert run is not None
            self._whole[case.shape] = run
        return self._whole[case.shape]

    def _read(self, side: str, shape: str, case: Case | None, odd: str | None) -> Run | None:
        broken = BROKEN if side == "new" else frozenset()
        model = "v2" if side == "new" else "v1"
        folder = self.folder / shape.replace(" ", "-") / side
        files = SHAPES[shape].files(model, broken)
        for name, document in files.items():
            here = case is not None and _same_file(case, name)
            value = ODD_VALUES[odd] if here and odd is not None else None
            content = encode(
                name, with_odd(document, case.place) if here and case else document, value
            )
            if content is None:
                return None
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        only = next(iter(files)) if len(files) == 1 else ""
        return read_run(folder / only, name=model, **SHAPES[shape].options)


def _same_file(case: Case, name: str) -> bool:
    # Files of OLD bear the name of its model.
    return case.file in (name, name.replace("v1", "v2"))


def check_message(message: str) -> None:
    """Hold a message to one printable line."""
    assert message.splitlines() == [message], message
    assert message.isprintable(), ascii(message)
    assert len(message) < 2000, message[:2000]


LIMITS = {"max_nfr": "0.5", "min_coverage": "0.01"}
# What a user may choose about items that cannot be compared.
LENIENT: dict[str, Any] = {"missing": "drop", "unanswered": "drop", "conflict": "own"}


def report(old: Run, new: Run) -> str:
    """Compare and gate two runs, strictly or else leniently, and write every report."""
    try:
        comparison = compare_runs(old, new)
    except MuscleMetricsError as error:
        check_message(str(error))
        comparison = compare_runs(old, new, **LENIENT)
    str(comparison)
    json.loads(comparison.to_json())
    comparison._repr_html_()
    items_csv(comparison).encode()
    policy = Policy(**(LIMITS if comparison.is_judged else {"max_mean_loss": "0.5"}))
    verdict = check_gate(comparison, policy)
    texts = [
        str(verdict),
        *verdict_annotations(verdict),
        *flip_lines(first_flips(comparison, ROWS)),
        verdict_junit(verdict, comparison),
        verdict_markdown(verdict, comparison),
        verdict_json(verdict, comparison),
    ]
    for text in texts:
        text.encode()
    return str(verdict.outcome)


def run_cases(cases: Iterator[Case], folder: Path, *, seconds: float) -> tuple[Counter[str], int]:
    """Try cases until the time is over; print each fault. Count outcomes and faults."""
    trial, seen, faults = Trial(folder), Counter[str](), 0
    known: set[str] = set()
    end = time.monotonic() + seconds
    for case in cases:
        start = time.monotonic()
        if start > end:
            break
        try:
            seen[trial.outcome(case)] += 1
        except Exception as error:
            faults += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {where.filename}:{where.lineno}"
            if kind not in known:
                known.add(kind)
                print(f"FAULT {case}\n  {kind}: {str(error)[:300]!r}", flush=True)
        if time.monotonic() - start > MOST_SECONDS:
            faults += 1
            print(f"FAULT {case}\n  took {time.monotonic() - start:.1f} s", flush=True)
    return seen, faults


def main() -> int:
    """Search by the command line; exit 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--all", action="store_true", help="every value in every place, in order")
    parser.add_argument("--shape", action="append", choices=SHAPES)
    options = parser.parse_args()
    shapes = options.shape or list(SHAPES)
    cases = all_cases(shapes) if options.all else draw_cases(options.seed, shapes)
    with tempfile.TemporaryDirectory() as folder:
        seen, faults = run_cases(cases, Path(folder), seconds=options.seconds)
    print(dict(seen), f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
