"""Files joined on disk give what runs in memory give: the same numbers, the same errors."""

from __future__ import annotations

import gzip
import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import InputError, MuscleMetricsError
from muscle_metrics.scale import CountedComparison, Totals, compare_files, flaws

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.comparison.comparison import Comparison

pytest.importorskip("duckdb", reason="the engine is behind an extra")

Rows = list[dict[str, Any]]


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(kind: str, seed: int, number: int = 300) -> Rows:
    """Rows in another order for every seed; answers of one kind."""
    draw, same = random.Random(seed), random.Random(0)
    answers: dict[str, Any] = {
        "text": ["A", 'B"\\', "é\n", "", "null", "true", "1"],
        "numbers": [1, 1.0, 2.5, -3, 1e5, 0.1],
        "truth": [True, False],
        "lists": ["A", "B", "C"],
    }[kind]
    made = []
    for number_ in range(number):
        reference = same.choice(answers)
        if kind == "lists":
            reference = sorted({reference, same.choice(answers)})
        topic = same.choice(["x", "y", None])
        made.append(
            {"id": f"q{number_}" if number_ % 2 else number_, "prediction": draw.choice(answers),
             "reference": reference, "topic": topic, "score": draw.choice([0, 1]),
             "judge": round(draw.random(), 2)}
        )  # fmt: skip
    draw.shuffle(made)
    return made


def both(
    old: Path, new: Path, reading: dict[str, Any], **options: Any
) -> tuple[Comparison, CountedComparison]:
    in_memory = compare_runs(read_run(old, **reading), read_run(new, **reading), **options)
    counted = compare_files(
        old, new, old_options=reading, new_options=reading, memory="200MB", threads=1, **options
    )
    return in_memory, counted


def assert_equal(in_memory: Comparison, counted: CountedComparison) -> None:
    expected = Totals.of(in_memory)
    assert counted.totals.items == expected.items
    assert counted.totals.cells == expected.cells
    assert counted.totals.scores == expected.scores
    assert counted.dropped == in_memory.dropped
    assert {i.id for i in counted.totals.sample.items()} == {i.id for i in expected.sample.items()}
    for name, changes in in_memory.changes.items():
        totals = counted.changes[name]
        assert totals.mean_change == changes.mean_change
        assert totals.negative_flip_rate == changes.negative_flip_rate
        assert totals.mean_change.interval() == pytest.approx(changes.mean_change.interval())


@pytest.mark.parametrize("kind", ["text", "numbers", "truth", "lists"])
def test_counts_are_those_of_memory(tmp_path, kind):
    old, new = (write(tmp_path / f"v{n}.jsonl", rows(kind, n)) for n in (1, 2))
    in_memory, counted = both(old, new, {"slice_field": "topic"})
    assert in_memory.counts.negative
    assert_equal(in_memory, counted)
    assert counted.slices == in_memory.slices


@pytest.mark.parametrize(
    "options",
    [
        {"metric": "rouge1"},
        {"metric": ["exact_match", "rouge1", "chrf"]},
        {"metric": "rougeL", "threshold": 0.5, "options": {"rougeL": {"stem": True}}},
    ],
)
def test_texts_are_scored_as_they_stream(tmp_path, options):
    words = random.Random(3)

    def texts(seed: int) -> Rows:
        draw = random.Random(seed)
        same = random.Random(1)
        vocabulary = ["the", "cats", "cat", "sat", "on", "running", "mats"]
        return [
            {"id": n, "prediction": " ".join(draw.choices(vocabulary, k=5)),
             "reference": " ".join(same.choices(vocabulary, k=5))} for n in range(200)
        ]  # fmt: skip

    old, new = texts(1), texts(2)
    words.shuffle(new)
    in_memory, counted = both(
        write(tmp_path / "v1.jsonl", old), write(tmp_path / "v2.jsonl", new), {}, **options
    )
    assert_equal(in_memory, counted)


@pytest.mark.parametrize(
    ("reading", "options"),
    [
        ({"score_field": "score"}, {}),
        ({"score_field": "judge"}, {}),
        ({"score_field": "judge"}, {"threshold": 0.5}),
        ({"score_field": "judge"}, {"threshold": 0.5, "strict_threshold": True}),
        ({"score_field": "judge"}, {"metric": ["exact_match", "judge"][:1]}),
    ],
)
def test_recorded_scores_judge(tmp_path, reading, options):
    old, new = (write(tmp_path / f"v{n}.jsonl", rows("text", n)) for n in (1, 2))
    assert_equal(*both(old, new, reading, **options))


def test_shards_compressed_and_parquet_give_the_same(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    content = [rows("text", n) for n in (1, 2)]
    old, new = (write(tmp_path / f"v{n}.jsonl", part) for n, part in enumerate(content, 1))
    plain = compare_files(old, new)
    folder = tmp_path / "shards"
    folder.mkdir()
    for shard in range(3):
        write(folder / f"part{shard}.jsonl", content[1][shard::3])
    assert compare_files(old, folder).totals == plain.totals
    packed = tmp_path / "v2.jsonl.gz"
    packed.write_bytes(gzip.compress(new.read_bytes()))
    assert compare_files(old, packed).totals == plain.totals
    columns = [{**row, "id": str(row["id"])} for row in content[0]]
    parquet.write_table(pyarrow.Table.from_pylist(columns), tmp_path / "v1.parquet")
    assert compare_files(tmp_path / "v1.parquet", new).totals == plain.totals


def drop(content: Rows, *ids: object) -> Rows:
    return [row for row in content if row["id"] not in ids]


def change(content: Rows, identifier: object, **values: Any) -> Rows:
    return [{**row, **values} if row["id"] == identifier else row for row in content]


FAULTS = {
    "missing in new": lambda old, new: (old, drop(new, 0, 10)),
    "missing in both": lambda old, new: (drop(old, "q1"), drop(new, 0, 10)),
    "repeated in old": lambda old, new: ([*old, old[0], old[1], old[1]], new),
    "repeated in both": lambda old, new: ([*old, old[0]], [*new, old[0]]),
    "repeated and missing": lambda old, new: ([*old, old[0]], drop(new, old[0]["id"])),
    "conflicting": lambda old, new: (old, change(new, 4, reference="another")),
    "unanswered": lambda old, new: (change(old, 2, prediction=None), new),
    "all at once": lambda old, new: (
        [*change(old, 2, prediction=None), old[0]],
        drop(change(new, 4, reference="another"), "q3"),
    ),
    "other prompts": lambda old, new: (
        [{**row, "prompt": str(row["id"])} for row in old],
        [{**row, "prompt": f"{row['id']}?"} for row in new],
    ),
    "none shared": lambda old, new: (old, [{**row, "id": f"z{row['id']}"} for row in new]),
    "empty id": lambda old, new: (change(old, 2, id=""), new),
    "null id": lambda old, new: (change(old, 2, id=None), new),
    "nested answer": lambda old, new: (change(old, 2, prediction=["A"]), new),
    "nested label": lambda old, new: (old, change(new, 2, reference={"a": 1})),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told_in_the_same_words(tmp_path, fault):
    contents = FAULTS[fault](rows("text", 1), rows("text", 2))
    reading = {"prompt_field": "prompt"} if fault == "other prompts" else {}
    old, new = (write(tmp_path / f"v{n}.jsonl", part) for n, part in enumerate(contents, 1))
    with pytest.raises(InputError) as expected:
        compare_runs(read_run(old, **reading), read_run(new, **reading))
    with pytest.raises(InputError) as given:
        compare_files(old, new, old_options=reading, new_options=reading)
    # No engine calls a function that would make an answer of a list.
    assert str(given.value).replace("leave out --engine and ", "") == str(expected.value)


@pytest.mark.parametrize("fault", ["missing in both", "repeated in both", "conflicting", "all"])
def test_messages_count_more_items_than_they_fetch(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(flaws, "MOST_FETCHED", 2)
    old, new = rows("text", 1), rows("text", 2)
    if fault in ("conflicting", "all"):
        new = [{**row, "reference": "ж"} if row["topic"] else row for row in new]
    if fault in ("repeated in both", "all"):
        old, new = [*old, *old[3:9], *old[3:5]], [*new, *new[5:90]]
    if fault in ("missing in both", "all"):
        old, new = old[7:], new[:-90]
    if fault == "all":
        old = [{**row, "prediction": None} if row["topic"] == "y" else row for row in old]
    paths = [write(tmp_path / f"v{n}.jsonl", part) for n, part in enumerate((old, new), 1)]
    with pytest.raises(InputError) as expected:
        compare_runs(*map(read_run, paths))
    with pytest.raises(InputError) as given:
        compare_files(*paths)
    assert without_samples(given.value) == without_samples(expected.value)


def without_samples(error: Exception) -> str:
    """Message without the ids, of which any may be shown, and the references of one of them."""
    return re.sub(r"\([^)]*\)|such as .*? in new", "", str(error))


@pytest.mark.parametrize("conflict", ["drop", "own", "first", "last"])
@pytest.mark.parametrize("unanswered", ["drop", "wrong"])
@pytest.mark.parametrize("missing", ["drop"])
def test_options_make_faults_good_alike(tmp_path, conflict, unanswered, missing):
    old, new = rows("text", 1), rows("text", 2)
    old = drop(change(old, 2, prediction=None), "q7", "q9")
    new = change(change(drop(new, "q3"), 4, reference="A"), 2, reference="A")
    in_memory, counted = both(
        write(tmp_path / "v1.jsonl", old),
        write(tmp_path / "v2.jsonl", new),
        {},
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
    )
    assert_equal(in_memory, counted)


@pytest.mark.parametrize(
    "line",
    ["{", '{"id": 1, "id": 2, "prediction": "A"}', '{"id": 1, "prediction": NaN}', "[]", "x", "{}",
     '{"id": 1, "prediction": "\\ud800"}', '{"id": 1, "prediction": 1e999}', '"A"'],
)  # fmt: skip
def test_bad_lines_are_named(tmp_path, line):
    good = write(tmp_path / "v1.jsonl", [{"id": 1, "prediction": "A", "reference": "A"}])
    bad = tmp_path / "v2.jsonl"
    bad.write_text(good.read_text() + line + "\n")
    with pytest.raises(MuscleMetricsError, match=r"v2\.jsonl:2|v2\.jsonl"):
        compare_files(good, bad)


def test_lists_may_begin_later(tmp_path):
    old = [
        {"id": 1, "prediction": "A", "reference": "A"},
        {"id": 2, "prediction": "a", "reference": ["A", "a"]},
    ]
    new = [{**row, "prediction": "A"} for row in reversed(old)]
    in_memory, counted = both(
        write(tmp_path / "v1.jsonl", old), write(tmp_path / "v2.jsonl", new), {}
    )
    assert counted.counts.both_right_changed == 1
    assert_equal(in_memory, counted)


def test_kinds_are_not_mixed(tmp_path):
    old = write(tmp_path / "v1.jsonl", [{"id": 1, "prediction": "1", "reference": "1"}])
    new = write(tmp_path / "v2.jsonl", [{"id": 1, "prediction": 1, "reference": "1"}])
    with pytest.raises(InputError, match="one kind, got '1', 1 and '1' for id '1'"):
        compare_files(old, new)


def test_prints_like_a_comparison(tmp_path):
    old, new = (write(tmp_path / f"v{n}.jsonl", rows("text", n)) for n in (1, 2))
    in_memory, counted = both(old, new, {"slice_field": "topic"})
    # All but the signature.
    assert str(counted).splitlines()[:-1] == str(in_memory).splitlines()[:-1]
    assert {*counted.to_dict()} == {*in_memory.to_dict()}
    assert json.loads(counted.to_json())["counts"] == in_memory.to_dict()["counts"]
