"""Whatever a row beyond the first one holds, an engine accepts and refuses what memory does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.runs.files import bytestream
from muscle_metrics.scale import Totals, compare_files
from muscle_metrics.scale.database import open_database
from muscle_metrics.scale.loading import code_rows, load_run
from muscle_metrics.scale.native import find_native
from muscle_metrics.scale.sources import open_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("duckdb", reason="the engine is behind an extra")

GOOD = '{"id": %d, "prediction": "A", "reference": "A", "x": 1}'
ROW = {"id": 3, "prediction": "A", "reference": "A", "x": 1}


def row(**values: Any) -> str:
    return json.dumps({**ROW, **values})


def text(old: str, new: str) -> str:
    return row().replace(old, new)


# The third row of four. Where `reading` names fields, the first row has them too.
LINES: dict[str, str | bytes] = {
    "a key twice": text('"A", "ref', '"B", "prediction": "A", "ref'),
    "a key twice, once escaped": text('"A", "ref', '"B", "predicti\\u006fn": "A", "ref'),
    "an unread key twice": text('"x": 1', '"x": 1, "x": 2'),
    "a key twice in an unread object": text('"x": 1', '"x": {"y": 1, "y": 2}'),
    "a key twice in a list": text('"x": 1', '"x": [{"y": 1, "y": 2}]'),
    "a comma at the end": text('"x": 1', '"x": 1,'),
    "a comma at the end of a list": text('"x": 1', '"x": [1,]'),
    "a comma too many": text('"x": 1', '"x": 1,,'),
    "deep nesting": text('"x": 1', '"x": ' + "[" * 100_000 + "]" * 100_000),
    "deep objects": text('"x": 1', '"x": ' + '{"x":' * 9000 + "1" + "}" * 9000),
    "a number of 5000 digits": text('"x": 1', f'"x": {"7" * 5000}'),
    "an id of 5000 digits": text('"id": 3', f'"id": {"7" * 5000}'),
    "an unread number of 400 digits": text('"x": 1', f'"x": {"7" * 400}'),
    "nan": text('"x": 1', '"x": nan'),
    "NaN that is unread": text('"x": 1', '"x": NaN'),
    "inf": text('"x": 1', '"x": inf'),
    "-Infinity that is unread": text('"x": 1', '"x": -Infinity'),
    "NaN as answer": text('"prediction": "A"', '"prediction": NaN'),
    "1e999 as answer": text('"prediction": "A"', '"prediction": 1e999'),
    "1e999 that is unread": text('"x": 1', '"x": 1e999'),
    "a zero in front": text('"x": 1', '"x": 007'),
    "a plus in front": text('"x": 1', '"x": +1'),
    "a point in front": text('"x": 1', '"x": .5'),
    "a hexadecimal number": text('"x": 1', '"x": 0x1f'),
    "quotes of another kind": text('"x": 1', "'x': 1"),
    "a comment": row() + " // more",
    "two rows on a line": row() + " " + row(id=5),
    "a row over two lines": text('"x": 1', '"x":\n1'),
    "a carriage return between rows": row() + "\r" + row(id=5),
    "a vertical tab": "\x0b" + row(),
    "a form feed": row() + "\x0c",
    "a no-break space": "\xa0" + row(),
    "a control character": text('"A"', '"A\x01"'),
    "a null byte": text('"A"', '"A\x00"'),
    "an escaped null byte": text('"A"', '"A\\u0000"'),
    "a list": "[1]",
    "a list of rows": f"[{row()}]",
    "no row": "null",
    "bytes that are not UTF-8": row(x="é").replace("\\u00e9", "é").encode("latin-1"),
    "a key that is not UTF-8": row().encode().replace(b'"x"', b'"\xff"'),
    "UTF-16": row().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + row().encode(),
    "a surrogate in bytes": row().encode().replace(b'"A"', b'"\xed\xa0\x80"'),
    "a lone surrogate in an answer": text('"prediction": "A"', '"prediction": "\\ud800"'),
    "a lone surrogate in an id": text('"id": 3', '"id": "\\udfff"'),
    "a lone surrogate in an unread field": text('"x": 1', '"x": "\\ud800"'),
    "an emoji": text('"prediction": "A"', '"prediction": "\\ud83d\\ude00"'),
    "the mark of our own escapes": row(prediction="\U0010fffe"),
    "a missing answer": text('"prediction": "A", ', ""),
    "a missing reference": text(', "reference": "A"', ""),
    "a null id": row(id=None),
    "an empty id": row(id=""),
    "true as id": row(id=True),
    "a separator in an id": row(id="a\x1fb"),
    "an id that is a float": row(id=1e22),
    "an answer in a list": row(prediction=["A"]),
    "an answer in an object": row(prediction={"a": 1}),
    "accepted answers": row(reference=["B", "A"]),
    "no accepted answer": row(reference=[]),
    "null as accepted answer": row(reference=["A", None]),
    "a null answer": row(prediction=None),
    "a long line": row(x="y" * 300_000),
}  # fmt: skip


def write(folder: Path, name: str, lines: list[str | bytes]) -> Path:
    path = folder / name
    content = (line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
               for line in lines)  # fmt: skip
    path.write_bytes(b"".join(line + b"\n" for line in content))
    return path


def outcome(compare: Callable[[], Any]) -> Any:
    """What a comparison counted, or the words of its refusal."""
    try:
        found = compare()
    except MuscleMetricsError as error:
        return type(error).__name__, str(error)
    totals = getattr(found, "totals", None) or Totals.of(found)
    shown = {(flip.id, flip.repeat, flip.slice, flip.old, flip.new, str(flip.reference))
             for flip in totals.sample.items()}  # fmt: skip
    return totals.items, totals.cells, dict(found.dropped), shown


def in_memory(old: Path, new: Path, reading: dict[str, Any], **options: Any) -> Any:
    return outcome(
        lambda: compare_runs(read_run(old, **reading), read_run(new, **reading), **options)
    )


def counted(old: Path, new: Path, reading: dict[str, Any], **options: Any) -> Any:
    reads = {"old_options": reading, "new_options": reading, "threads": 1}
    found = outcome(lambda: compare_files(old, new, **reads, **options))
    if isinstance(found[1], str):
        # No engine calls a function that would make an answer of a list.
        return found[0], found[1].replace("leave out --engine and ", "")
    return found


def without_position(found: Any) -> Any:
    """Leave out where in memory the first item without accepted answers stands."""
    return (found[0], found[1].replace(" (first at 2)", "")) if isinstance(found[1], str) else found


@pytest.mark.parametrize("name", LINES)
def test_an_engine_is_as_strict_as_memory(tmp_path, name):
    good: list[str | bytes] = [GOOD % number for number in (1, 2, 3, 4)]
    old = write(tmp_path, "v1.jsonl", [*good[:2], LINES[name], good[3]])
    new = write(tmp_path, "v2.jsonl", [*good[:2], LINES[name], row(id=4, prediction="B")])
    expected = without_position(in_memory(old, new, {}))
    assert counted(old, new, {}) == expected
    if "v1.jsonl" not in str(expected):
        # The damaged row is in the second of two shards, which is compressed.
        shards = tmp_path / "v2"
        shards.mkdir()
        write(shards, "a.jsonl", good[:2])
        rest = new.read_bytes().split(b"\n", 2)[2]
        (shards / "b.jsonl.gz").write_bytes(gzip.compress(rest))
        assert counted(old, shards, {}) == expected


PATHS = {
    "a key twice": '{"id": 3, "reference": "A", "out": {"answer": "A", "answer": "B"}}',
    "a column beside the path": '{"id": 3, "reference": "A", "out": {"answer": "A"}, '
    '"out.answer": "B"}',
    "a column in place of the path": '{"id": 3, "reference": "A", "out.answer": "A"}',
    "a null beside the path": '{"id": 3, "reference": "A", "out": {"answer": "A"}, '
    '"out.answer": null}',
    "no object": '{"id": 3, "reference": "A", "out": "A"}',
}


@pytest.mark.parametrize("name", PATHS)
def test_a_field_is_found_in_the_same_place_of_every_row(tmp_path, name):
    good = '{"id": %d, "reference": "A", "out": {"answer": "A"}}'
    old = write(tmp_path, "v1.jsonl", [good % 1, good % 2, good % 3])
    new = write(tmp_path, "v2.jsonl", [good % 1, good % 2, PATHS[name]])
    reading = {"prediction_field": "out.answer"}
    found = counted(old, new, reading)
    assert found == in_memory(old, new, reading)
    assert found[0] == "FileError"
    assert "v2.jsonl:3" in found[1]


def test_a_path_in_place_of_a_column_is_refused(tmp_path):
    good = '{"id": %d, "reference": "A", "out.answer": "A"}'
    old = write(tmp_path, "v1.jsonl", [good % 1, good % 2])
    new = write(tmp_path, "v2.jsonl", [good % 1, '{"id": 2, "reference": "A", "out": '
                                                 '{"answer": "A"}}'])  # fmt: skip
    reading = {"prediction_field": "out.answer"}
    found = counted(old, new, reading)
    assert found == in_memory(old, new, reading)
    assert "v2.jsonl:2: expected the field 'out.answer'" in found[1]


NESTED = {
    "a key twice": '{"y": 1, "z": [{"k": 1}], "y": 2}',
    "a key twice in a list": '{"y": 1, "z": [{"k": 1}, {"k": 1, "k": 2}]}',
    "keys in another order": '{"z": [{"k": 1}], "y": 1}',
    "a key less": '{"z": [{"k": 1}]}',
    "a comma at the end": '{"y": 1, "z": [{"k": 1},]}',
    "nan": '{"y": nan, "z": []}',
    "an integer that is too long": '{"y": %s, "z": []}' % ("7" * 5000),
    "a list in place of a number": '{"y": [1, {"a": 1, "a": 1}], "z": []}',
    "nothing in it": "{}",
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_fields_that_are_not_read_are_as_in_memory(tmp_path, name):
    good = row(x={"y": 1, "z": [{"k": 1}]})
    old = write(
        tmp_path, "v1.jsonl", [good, text('"x": 1', f'"x": {NESTED[name]}').replace("3", "4")]
    )
    found = counted(old, old, {})
    assert found == in_memory(old, old, {})
    assert isinstance(found[1], str) == (name not in ("keys in another order", "a key less",
                                                      "nothing in it"))  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [("what", None), (None, "what"), (None, None)])
def test_a_null_prompt_is_another_prompt_than_a_text(tmp_path, old, new):
    paths = [
        write(tmp_path, f"v{n}.jsonl", [row(q="why", id=1), row(q=prompt)])
        for n, prompt in enumerate((old, new), 1)
    ]
    found = counted(*paths, {"prompt_field": "q"})
    assert found == in_memory(*paths, {"prompt_field": "q"})
    assert isinstance(found[1], str) == (old != new)


NEIGHBOURS = [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63]


@pytest.mark.parametrize("number", NEIGHBOURS)
@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
def test_whole_numbers_beyond_floats_are_told_apart(tmp_path, number, format_):
    paths = []
    for name, answer in (("v1", number), ("v2", number - 1)):
        path = tmp_path / f"{name}.{format_}"
        rows = [{"id": n, "prediction": answer if n == 3 else n, "reference": number if n == 3
                 else n} for n in range(1, 4)]  # fmt: skip
        if format_ == "parquet":
            pa = pytest.importorskip("pyarrow")
            types = pa.uint64()
            columns = {name: pa.array([one[name] for one in rows], types) for name in rows[0]}
            pytest.importorskip("pyarrow.parquet").write_table(pa.table(columns), path)
        elif format_ == "csv":
            lines = (",".join(map(str, one.values())) for one in rows)
            path.write_text("\n".join(["id,prediction,reference", *lines]))
        else:
            path.write_text("\n".join(map(json.dumps, rows)))
        paths.append(path)
    found = counted(*paths, {})
    assert found == in_memory(*paths, {})
    assert len(found[-1]) == 1


def test_a_number_of_hundreds_of_digits_is_shortened_in_a_message(tmp_path):
    path = write(tmp_path, "v1.jsonl", [row(id=1), row(prediction=int("7" * 400))])
    found = counted(path, path, {})
    assert found[0] == in_memory(path, path, {})[0] == "InputError"
    assert len(found[1]) < 400


def test_a_float_is_no_whole_number_beside_it(tmp_path):
    old = write(tmp_path, "v1.jsonl", [row(id=1), row(prediction=2**53 + 1, reference=2**53 + 1)])
    new = write(tmp_path, "v2.jsonl", [row(id=1), row(prediction=2.0**53, reference=2**53 + 1)])
    found = counted(old, new, {})
    assert found == in_memory(old, new, {})
    assert len(found[-1]) == 1


@pytest.mark.parametrize(
    "name",
    ["~", "~/v1.jsonl", "v*.jsonl", "{a,b}.jsonl", "it's.jsonl", "a%20b.jsonl", "s3:/v.jsonl",
     "a\nb.jsonl", "v1.jsonl#x", "$HOME.jsonl", 'a"b.jsonl', "a\\b.jsonl", "k=v/v1.jsonl"],
)  # fmt: skip
def test_names_of_files_mean_nothing_else(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for path in (Path("home", "v1.jsonl"), Path(name)):
        path.parent.mkdir(exist_ok=True)
    # What the name could stand for.
    for other in ("home/v1.jsonl", "vx.jsonl", "a.jsonl"):
        write(tmp_path, other, [row(prediction="B")])
    write(tmp_path, name, [row()])
    assert compare_files(name, "vx.jsonl").counts.negative == 1


def test_links_and_relative_names_lead_to_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "real"
    folder.mkdir()
    write(folder, "v1.jsonl", [row()])
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "v2.jsonl").symlink_to(folder / "v1.jsonl")
    monkeypatch.chdir(folder)
    for name in ("v1.jsonl", "../v2.jsonl", "../linked/v1.jsonl", "./../real/v1.jsonl"):
        assert compare_files(name, "../v2.jsonl").counts.both_right == 1


def test_ids_of_several_fields_are_those_of_memory(tmp_path):
    lines = [row(id=1, task="x"), row(id=1, task="y"), row(id="1,", task="")]
    old = write(tmp_path, "v1.jsonl", lines)
    new = write(tmp_path, "v2.jsonl", [*lines[:2], row(id="1,", task="", prediction="B")])
    reading = {"id_field": ("task", "id")}
    found = counted(old, new, reading)
    assert found == in_memory(old, new, reading)
    assert len(found[-1]) == 1


def zstandard(content: bytes) -> bytes:
    return bytes(pytest.importorskip("pyarrow").compress(content, codec="zstd", asbytes=True))


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("zst", zstandard)])
def test_a_bomb_is_refused_before_it_unfolds(tmp_path, monkeypatch, ending, compress):
    monkeypatch.setattr(bytestream, "_RATIO_FREE", 1 << 20)
    old = write(tmp_path, "v1.jsonl", [row()])
    bomb = tmp_path / f"v2.jsonl.{ending}"
    bomb.write_bytes(compress(row().encode() + b"\n" * (8 << 20)))
    found = counted(old, bomb, {})
    assert found == in_memory(old, bomb, {})
    assert "expected content of at most 200 times" in found[1]


def test_a_bomb_of_columns_is_refused(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(bytestream, "_RATIO_FREE", 1 << 20)
    bomb = tmp_path / "v2.parquet"
    same = pa.array(["A" * 10_000] * 1000)
    parquet.write_table(
        pa.table({"id": list(range(1000)), "prediction": same, "reference": same}), bomb
    )
    found = counted(bomb, bomb, {})
    assert found == in_memory(bomb, bomb, {})
    assert "expected content of at most 200 times" in found[1]


COLUMNS: dict[str, dict[str, list[Any]]] = {
    "a null id": {"id": ["1", None], "prediction": ["A", "A"]},
    "an empty id": {"id": ["1", ""], "prediction": ["A", "A"]},
    "nan as answer": {"id": ["1", "2"], "prediction": [1.5, float("nan")]},
    "nan as score": {"id": ["1", "2"], "judge": [0.5, float("nan")]},
    "an infinite score": {"id": ["1", "2"], "judge": [0.5, float("inf")]},
    "a text as score": {"id": ["1", "2"], "judge": ["1", "0"]},
    "true as id": {"id": [True, False], "prediction": ["A", "A"]},
    "bytes": {"id": ["1", "2"], "prediction": [b"A", b"A"]},
    "objects": {"id": ["1", "2"], "prediction": [{"a": 1}, {"a": 2}]},
    "lists as answers": {"id": ["1", "2"], "prediction": [["A"], ["A"]]},
    "lists as references": {"id": ["1", "2"], "prediction": ["A", "B"],
                            "reference": [["A"], ["C", "B"]]},
    "columns that differ in case": {"ID": ["7", "8"], "id": ["1", "2"], "prediction": ["A", "A"]},
    "floats as ids": {"id": [1.0, 1e22], "prediction": ["A", "A"]},
    "floats and whole numbers": {"id": [1, 2], "prediction": [0.1, 3.0], "reference": [0.1, 2.0]},
    "large floats": {"id": [1, 2], "prediction": [0.5, 2.0**53], "reference": [0.5, 2.0**60]},
    "a separator in an id": {"id": ["a", "a\x1fb"], "prediction": ["A", "B"]},
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_read_as_in_memory(tmp_path, name):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "v1.parquet"
    columns = {"reference": ["A", "A"], **COLUMNS[name]}
    pytest.importorskip("pyarrow.parquet").write_table(pa.table(columns), path)
    reading = {"score_field": "judge"} if "judge" in columns else {}
    assert counted(path, path, reading) == in_memory(path, path, reading)


@pytest.mark.parametrize("text", ["a\x1fb", "a\U0010fffeb", "a\x00b", "\U0001f600"])
def test_texts_are_the_same_however_they_are_read(tmp_path, text):
    pa = pytest.importorskip("pyarrow")
    old, new = tmp_path / "v1.parquet", tmp_path / "v2.jsonl"
    columns = {"id": ["1", text], "prediction": ["A", text], "reference": ["A", text]}
    pytest.importorskip("pyarrow.parquet").write_table(pa.table(columns), old)
    # The list keeps DuckDB from reading this run by itself.
    lines = [{"id": "1", "prediction": "A", "reference": ["A"]},
             {"id": text, "prediction": text, "reference": text}]  # fmt: skip
    write(tmp_path, new.name, list(map(json.dumps, lines)))
    assert compare_files(old, new, conflict="last").counts.both_right == 2
    assert compare_files(old, new, conflict="last").counts.both_right_changed == 0


def test_shards_of_parquet_may_differ_in_their_types(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    shards = tmp_path / "v1"
    shards.mkdir()
    for name, identifier in (("a", 1), ("b", "2")):
        columns = {"id": [identifier], "prediction": ["A"], "reference": ["A"]}
        parquet.write_table(pa.table(columns), shards / f"{name}.parquet")
    new = write(tmp_path, "v2.jsonl", [row(id=1), row(id=2)])
    assert compare_files(shards, new).counts.both_right == 2


def test_tables_of_text_are_read_as_in_memory(tmp_path):
    paths = [tmp_path / "v1.csv", tmp_path / "v2.csv"]
    for path, answer in zip(paths, ("1", "2"), strict=True):
        path.write_text(f'id,prediction,reference\n007,1,1\n1e5,{answer},1\n"a\nb",x,y\n')
    found = counted(*paths, {})
    assert found == in_memory(*paths, {})
    assert len(found[-1]) == 1
    paths[1].write_text("id,prediction,reference\n007,1,1\n1e5,1\n")
    assert counted(*paths, {}) == in_memory(*paths, {})


# The law: where DuckDB reads a shard by itself, it reads what the in-memory reader reads.

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", "é", "\u2028", "\x7f", "\x85", "\U0001f600", '"\\/', "\t\n", "null", "1"]),
)
NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 1.0, 0.1, 1e-7, 5e-324, 999999999999999, 0.30000000000000004]),
)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())


@st.composite
def rows_of_a_shard(draw: Any) -> list[str]:
    """Lines of one shape, as different writers write them."""
    spaces = draw(st.sampled_from(["", " ", "\t"]))
    is_ascii = draw(st.booleans())
    lines = []
    for number in range(draw(st.integers(1, 5))):
        values = {
            "id": draw(st.one_of(st.integers(0, 10**16), st.text(min_size=1, max_size=4))),
            "prediction": draw(VALUES), "reference": draw(VALUES),
            "judge": draw(st.one_of(NUMBERS, st.booleans(), st.none())),
            "topic": draw(st.one_of(TEXTS, st.booleans(), st.integers(), st.none())),
            "other": draw(VALUES) if number else 1,
        }  # fmt: skip
        separators = (f"{spaces},{spaces}", f"{spaces}:{spaces}")
        lines.append(json.dumps(values, ensure_ascii=is_ascii, separators=separators))
    return lines


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A database for all examples, and the one file that it may read."""
    path = tmp_path_factory.mktemp("law") / "run.jsonl"
    with open_database("200MB", 1, [str(path)]) as database:
        yield database, path


@given(rows_of_a_shard())
@example([row(judge=0, topic="x", other=1)])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_native_rows_are_the_coded_rows(shared, lines):
    database, path = shared
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogatepass")
    reading = {"score_field": "judge", "slice_field": "topic"}
    try:
        run, _ = open_runs(path, path, reading, reading, None)
        coded = code_rows(database, run, run.files, "coded")
    except MuscleMetricsError:
        return
    if find_native(database, run.files[0], run) is not None:
        load_run(database, run, "native")
        rows = [database.execute(sql).fetchall() for sql in ("FROM native", coded)]
        database.execute("DROP VIEW native")
        assert sorted(rows[0], key=str) == sorted(rows[1], key=str)


@pytest.mark.parametrize(
    "lines",
    [
        [row(prediction="é\n\"\\ \U0001f600"), row(id=4, prediction=-2.5)],
        [json.dumps({**ROW, "x": None}, separators=(",", ":")), row(id="q", x="\u2028")],
        [row(x={"y": [1, "a"], "z": {}}), row(id=4, x={"y": [], "z": None}), row(id=5, x=None)],
        [row(x=[{"role": "user", "content": "é"}] * 2), row(id=4, x=[]), row(id=5, x=None)],
    ],
)  # fmt: skip
def test_plain_rows_are_read_by_duckdb_itself(shared, lines):
    database, path = shared
    path.write_text("\n".join(lines), "utf-8")
    run, _ = open_runs(path, path, {}, {}, None)
    assert find_native(database, run.files[0], run) is not None
