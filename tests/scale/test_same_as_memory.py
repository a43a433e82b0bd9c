"""Whatever rows hold, an engine says what memory says, and refuses what memory refuses."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import InputError, MuscleMetricsError, UsageError
from muscle_metrics.scale import Totals, compare_files, streaming

pytest.importorskip("duckdb", reason="the engine is behind an extra")

Rows = list[dict[str, Any]]

ROW = {"id": 1, "prediction": "A", "reference": "A"}
READING = {"slice_field": "topic", "group_field": "group", "prompt_field": "prompt"}


def write(path: Path, rows: list[Any]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def outcome(compare: Any) -> Any:
    """What a comparison counted, or which kind of error refused it."""
    try:
        found = compare()
    except MuscleMetricsError as error:
        return UsageError if isinstance(error, UsageError) else InputError
    totals = getattr(found, "totals", None) or Totals.of(found)
    flips = {(flip.id, flip.repeat, flip.slice) for flip in totals.sample.items()}
    return totals.items, totals.cells, totals.scores, dict(found.dropped), flips


def both(
    old: Path, new: Path, reading: dict[str, Any], packed: Path | None = None, **options: Any
) -> tuple[Any, Any]:
    in_memory = outcome(
        lambda: compare_runs(read_run(old, **reading), read_run(new, **reading), **options)
    )
    reads = {"old_options": reading, "new_options": reading, "threads": 1}
    return in_memory, outcome(lambda: compare_files(old, packed or new, **reads, **options))


# Laws

JUDGEMENTS = st.sampled_from([0, 1, True, 0.25, 1.0, "0.25", "False", ""])


def runs(
    answers: st.SearchStrategy[Any],
    references: st.SearchStrategy[Any],
    judgements: st.SearchStrategy[Any] = JUDGEMENTS,
) -> Any:
    """Two runs over nearly the same items, rows in any order, some of them twice."""
    ids = st.one_of(
        st.integers(0, 4), st.sampled_from(["0", "a", "é\"'\\", "x y", 0.5, 1e-7, 1e16])
    )
    labels = st.sampled_from([None, "x", "y", 1, 2.5, True])
    rows = st.fixed_dictionaries(
        {
            "id": ids,
            "prediction": answers,
            "reference": references,
            "judge": judgements,
            "topic": labels,
            "group": labels,
            "prompt": st.sampled_from([None, "what"]),
        }
    )
    apart = {"unique_by": lambda row: str(row["id"])}
    either = st.one_of(st.lists(rows, min_size=1, max_size=6, **apart), st.lists(rows, min_size=1))
    return st.tuples(either, either)


TEXTS = st.sampled_from(["A", "B", "a b", "", "é\n", '"', "\\u0041", "null", "1", "<think>A"])
NUMBERS = st.sampled_from([0, 1, 1.0, 2.5, -3, 1e15, 0.1, 5e-324])
KINDS = (
    (TEXTS, TEXTS),
    (TEXTS, st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))),
    (NUMBERS, st.one_of(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=3))),
    (st.booleans(), st.booleans()),
    (st.one_of(TEXTS, NUMBERS), st.one_of(TEXTS, NUMBERS)),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "missing": st.just("drop"),
        "conflict": st.sampled_from(["drop", "own", "first", "last"]),
        "unanswered": st.sampled_from(["drop", "wrong"]),
        "answer": st.sampled_from(["strip, casefold", "no-think", "letter", "number"]),
    },
)


# Lines that the in-memory reader refuses, or that DuckDB would not read.
ODD_LINES = [
    '{"id": 9, "prediction": "A", "prediction": "B"}',
    '{"id": 9, "prediction": "A", "reference": "A", "judge": 1, "topic": "x", "group": "x", '
    '"prompt": "what", "x": [{"y": 1}]}',
    '{"id": 9, "prediction": "\\ud800", "reference": "\\ud800", "judge": 1, "topic": "\\udfff", '
    '"group": null, "prompt": null}',
    '{"id": 9007199254740993, "prediction": 9007199254740993, "reference": 9007199254740992, '
    '"judge": 1, "topic": 9007199254740993, "group": 1e22, "prompt": null}',
    '{"id": 9, "prediction": "A",}',
    "\x0b",
    "",
]


def pack(path: Path, form: str) -> Path:
    """The same rows in another form: compressed, or in shards of which the last is compressed."""
    if form == "plain":
        return path
    content = path.read_bytes()
    if form == "zst":
        arrow = pytest.importorskip("pyarrow")
        packed = path.with_suffix(".jsonl.zst")
        packed.write_bytes(arrow.compress(content, codec="zstd", asbytes=True))
        return packed
    folder = path.with_suffix("")
    folder.mkdir()
    first, last = content.splitlines(keepends=True)[:2], content.splitlines(keepends=True)[2:]
    (folder / "a.jsonl").write_bytes(b"".join(first))
    if last:
        (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"".join(last)))
    return folder


@pytest.mark.slow
@given(
    st.one_of([runs(*kind) for kind in KINDS]),
    OPTIONS,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["plain", "zst", "shards"]),
    st.one_of(st.none(), st.sampled_from(ODD_LINES)),
)
@settings(max_examples=150, deadline=None)
def test_any_two_runs(rows, options, is_judged, is_copied, form, odd):
    old, new = rows
    if is_copied:
        # Two lists that are drawn independently hardly share an item.
        pairs = zip(old, new, strict=False)
        new = [{**row, "prediction": other["prediction"]} for row, other in pairs]
    if odd is not None:
        old, new = [*old, odd], [new[0], odd, *new[1:]]
    reading = {**READING, **({"score_field": "judge"} if is_judged else {})}
    with TemporaryDirectory() as folder:
        first, last = (write(Path(folder, f"v{n}.jsonl"), x) for n, x in enumerate((old, new), 1))
        in_memory, counted = both(first, last, reading, packed=pack(last, form), **options)
    assert counted == in_memory


MAYBE = st.one_of(TEXTS, st.none())
SCORES = st.sampled_from([0, 1, True, 1.0, None, -1, -1.0, math.nan, "N/A", "-1"])
GRADES = st.sampled_from([0, 0.25, 7, None, -1, "N/A"])


@pytest.mark.slow
@given(
    st.one_of(runs(MAYBE, TEXTS, SCORES), runs(MAYBE, TEXTS, GRADES)),
    st.fixed_dictionaries(
        {"unanswered": st.sampled_from(["wrong", "drop", "error"]), "missing": st.just("drop")},
        optional={
            "conflict": st.just("own"),
            "score_range": st.sampled_from([(0, 10), (-2, 8), (0, math.inf)]),
            "threshold": st.sampled_from([0.0, 1.0]),
            "metric": st.sampled_from(["token_f1", "ter", "judge", ["judge", "token_f1"]]),
        },
    ),
    st.sampled_from([None, -1, ("-1", "N/A", "NaN"), "N/A"]),
    st.booleans(),
)
@settings(max_examples=100, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_missing_answers_and_scores(rows, options, declared, is_judged):
    old, other = rows
    pairs = zip(old, other, strict=False)
    new = [{**row, "prediction": b["prediction"], "judge": b["judge"]} for row, b in pairs]
    # In memory, a run without any answer does not tell which answers changed.
    old, new = ([*_once(part), {**ROW, "id": "z", "judge": 1}] for part in (old, new))
    reading = {"score_field": "judge", "missing_score": declared} if is_judged else {}
    with TemporaryDirectory() as folder:
        paths = (write(Path(folder, f"v{n}.jsonl"), part) for n, part in enumerate((old, new), 1))
        in_memory, counted = both(*paths, reading, **options)
    # Of several faults, either may be named first.
    assert counted == in_memory or {counted, in_memory} <= {InputError, UsageError}


def _once(rows):
    """Rows without those whose id repeats."""
    return list({str(row["id"]): row for row in rows}.values())


# Examples that failed once


ROWS = [{**ROW, "id": n} for n in range(5)]
JUDGED = [{**row, "exact_match": row["id"] % 2} for row in ROWS]
EXAMPLES: dict[str, tuple[Rows, Rows, dict[str, Any], dict[str, Any]]] = {
    "a blank line beside an id that repeats": ([*ROWS, ROWS[3]], [*ROWS, ""], {}, {}),
    "a blank line of spaces": ([*ROWS, ROWS[3]], [*ROWS, "   "], {}, {}),
    "a recorded score named exact_match": (
        JUDGED, [{**row, "exact_match": 0} for row in JUDGED], {"score_field": "exact_match"}, {},
    ),
    "a list of scorers beside a recorded score": (
        JUDGED, [{**row, "prediction": "B"} for row in JUDGED], {"score_field": "exact_match"},
        {"metric": ["exact_match", "rouge1"]},
    ),
    "a field that is misspelt": (ROWS, ROWS, {"slice_field": "topc"}, {}),
    "a list of messages as prompt": (
        [{**ROW, "q": ["a"]}], [{**ROW, "q": ["b"]}], {"prompt_field": "q"}, {},
    ),
    "references that differ beside scores": (
        JUDGED, [{**row, "reference": "B"} for row in JUDGED], {"score_field": "exact_match"}, {},
    ),
    "a graded score that only one run has": (
        [*JUDGED, {**ROW, "id": 9, "exact_match": 0.5}], JUDGED, {"score_field": "exact_match"},
        {"missing": "drop"},
    ),
    "a number among texts, in one run only": (
        [*ROWS, {"id": 9, "prediction": 1, "reference": "A"}], ROWS, {}, {"missing": "drop"},
    ),
    "no reference where there is no answer": (
        [*ROWS, {"id": 9, "prediction": None, "reference": None}],
        [*ROWS, {"id": 9, "prediction": "A", "reference": None}], {}, {"unanswered": "drop"},
    ),
    "nothing is left": (
        ROWS, [{**row, "reference": "B"} for row in ROWS], {}, {"conflict": "drop"},
    ),
    "nothing is shared": (ROWS, [{**ROW, "id": 9}], {}, {"missing": "drop"}),
    "no repeat in one of two rows": (
        [{**ROW, "k": 1}, {**ROW, "k": None}], [{**ROW, "k": None}, {**ROW, "k": 1}],
        {"repeat_field": "k"}, {},
    ),
    "labels in the new run alone": (
        [{**row, "x": None} for row in ROWS], [{**row, "x": "b"} for row in ROWS],
        {"group_field": "x", "slice_field": "x"}, {},
    ),
    "accepted answers in another order": (
        [{**ROW, "reference": ["A", "B"]}], [{**ROW, "reference": ["B", "A"]}], {},
        {"conflict": "drop"},
    ),
    "a threshold without a score": (ROWS, ROWS, {}, {"threshold": 0.5}),
    "a threshold beyond all numbers": (
        JUDGED, JUDGED, {"score_field": "exact_match"}, {"threshold": 1e308},
    ),
    "a null among the scores": (
        [*JUDGED, {**ROW, "id": 9, "exact_match": None}], JUDGED, {"score_field": "exact_match"},
        {"metric": "rouge1", "missing": "drop"},
    ),
    "scores declared missing": (
        [{**row, "judge": -1 if row["id"] == 3 else 1} for row in ROWS],
        [{**row, "judge": "N/A" if row["id"] == 2 else 1} for row in ROWS],
        {"score_field": "judge", "missing_score": ("-1", "N/A")}, {"unanswered": "wrong"},
    ),
    "a text among scores where missing ones are wrong": (
        [{**row, "judge": 1} for row in ROWS],
        [{**row, "judge": "?" if row["id"] == 2 else None} for row in ROWS],
        {"score_field": "judge"}, {"unanswered": "wrong"},
    ),
    "scores as texts, in one run only": (
        [{**row, "judge": str(row["id"] / 4)} for row in ROWS],
        [{**row, "judge": row["id"] % 3 / 2} for row in ROWS],
        {"score_field": "judge"}, {"threshold": 0.5},
    ),
    "an empty text among verdicts": (
        [{**row, "judge": True} for row in ROWS],
        [{**row, "judge": "" if row["id"] == 2 else "False"} for row in ROWS],
        {"score_field": "judge"}, {"unanswered": "drop"},
    ),
    "no score at all in the new run": (
        [{**row, "judge": 1} for row in ROWS], [{**row, "judge": None} for row in ROWS],
        {"score_field": "judge"}, {"unanswered": "wrong"},
    ),
    "graded scores of which one is missing": (
        [{**row, "judge": 7.5} for row in ROWS],
        [{**row, "judge": None if row["id"] == 2 else 7} for row in ROWS],
        {"score_field": "judge"}, {"unanswered": "wrong", "score_range": (1, 10)},
    ),
    "a perfect score a rounding too high": (ROWS, ROWS, {}, {"metric": "bleu"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(tmp_path, name):
    old, new, reading, options = EXAMPLES[name]
    paths = write(tmp_path / "v1.jsonl", old), write(tmp_path / "v2.jsonl", new)
    in_memory, counted = both(*paths, reading, **options)
    assert counted == in_memory


@pytest.mark.parametrize("name", ["v[1].jsonl", "v*.jsonl", "v?.jsonl", "id=7/v1.jsonl"])
def test_names_of_files_are_no_patterns_and_no_columns(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    write(tmp_path / "v1.jsonl", [{**ROW, "prediction": "B"}])
    write(tmp_path / "vx.jsonl", [{**ROW, "prediction": "B"}])
    assert compare_files(write(path, [ROW]), tmp_path / "vx.jsonl").counts.negative == 1


@pytest.mark.parametrize("size", [0, 3])
def test_samples_may_be_empty(tmp_path, size):
    old = write(tmp_path / "v1.jsonl", ROWS)
    new = write(tmp_path / "v2.jsonl", [{**row, "prediction": "B"} for row in ROWS])
    assert len(list(compare_files(old, new, sample_size=size).flips())) == size


def test_columns_of_nothing_hold_nothing(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"id": [1, 2], "prediction": ["A", "B"], "reference": ["A", "A"], "x": [None, None]}
    parquet.write_table(pa.table(columns), tmp_path / "v1.parquet")
    in_memory, counted = both(
        tmp_path / "v1.parquet", tmp_path / "v1.parquet", {"slice_field": "x"}
    )
    assert counted == in_memory


@pytest.mark.parametrize("chunk", [2, 100])
@pytest.mark.parametrize("new", [["да", "нет", "да"], ["yes", "да", "yes"]])
def test_an_error_about_texts_says_which_items_it_counts(tmp_path, monkeypatch, chunk, new):
    monkeypatch.setattr(streaming, "CHUNK", chunk)
    answers = ["yes", "no", "yes", *new]
    paths = [
        write(tmp_path / f"v{n}.jsonl", [{**ROW, "id": k, "prediction": text if n == 2 else "yes"}
                                         for k, text in enumerate(answers)])
        for n in (1, 2)
    ]  # fmt: skip
    with pytest.raises(InputError) as expected:
        compare_runs(*map(read_run, paths), metric="rouge1")
    with pytest.raises(InputError) as given:
        compare_files(*paths, metric="rouge1", threads=1)
    if chunk < len(answers):
        assert str(given.value).startswith(f"counted in {chunk} of {len(answers)} items: expected ")
    else:
        assert str(given.value) == str(expected.value)
