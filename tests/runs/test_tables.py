"""Tables in memory give the records of a file with the same rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, PairingError, UsageError, compare_runs, read_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Rows = Sequence[Mapping[str, Any]]

ROWS: Rows = [
    {"key": "007", "out": "Ja", "gold": ["Ja", "ja"], "topic": "a", "score": 0.5},
    {"key": "日本", "out": None, "gold": ["はい"], "topic": None, "score": None},
    {"key": "1e5", "out": "NaN", "gold": ["नहीं", "x"], "topic": "b", "score": 1.0},
]
FIELDS = {
    "id_field": "key",
    "prediction_field": "out",
    "reference_field": "gold",
    "slice_field": "topic",
    "score_field": "score",
}


def to_polars(rows: Rows) -> Any:
    return pytest.importorskip("polars").DataFrame(rows)


def to_arrow(rows: Rows) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


def to_dataset(rows: Rows) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(rows)


def to_nullable(rows: Rows) -> pd.DataFrame:
    # pandas 2.2 casts an infinity to a whole number, to see whether it is one.
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(list(rows)).convert_dtypes()


TABLES: Mapping[str, Callable[[Rows], Any]] = {
    "list of dicts": list,
    "pandas": lambda rows: pd.DataFrame(list(rows)),
    "pandas with an index of ids": lambda rows: pd.DataFrame(list(rows)).set_index("key"),
    "pandas with types that know of null": to_nullable,
    "polars": to_polars,
    "pyarrow": to_arrow,
    "dataset": to_dataset,
    "dataset in another format": lambda rows: to_dataset(rows).with_format("numpy"),
}


@pytest.fixture(params=TABLES, ids=lambda name: name.replace(" ", "_"))
def table(request: pytest.FixtureRequest) -> Callable[[Rows], Any]:
    return TABLES[request.param]


class TestSameAsAFile:
    def test_every_kind_of_table(self, table: Callable[[Rows], Any], tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
        assert read_run(table(ROWS), **FIELDS).records == read_run(path, **FIELDS).records

    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.integers(-(2**53), 2**53),
                    "prediction": st.none() | st.text(),
                    "flag": st.booleans(),
                }
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_rows(self, rows: Rows) -> None:
        """A column of whole numbers without a hole keeps them; so do texts and flags."""
        expected = read_run(rows, score_field="flag").records
        assert read_run(pd.DataFrame(rows), score_field="flag").records == expected
        assert read_run(to_arrow(rows), score_field="flag").records == expected

    def test_scalars_of_numpy_in_dicts(self) -> None:
        rows = [{"id": np.int64(7), "prediction": np.str_("A"), "flag": np.bool_(False)}]
        record = read_run(rows, score_field="flag").records[0]
        assert (record.id, record.prediction, record.scores) == ("7", "A", {"flag": False})

    def test_nested_fields(self, table: Callable[[Rows], Any]) -> None:
        rows = [{"key": str(i), "out": {"text": text, "n": 1}} for i, text in enumerate("ab")]
        run = read_run(table(rows), id_field="key", prediction_field="out.text")
        assert [record.prediction for record in run] == ["a", "b"]

    def test_only_rows_that_are_asked_for(self, table: Callable[[Rows], Any]) -> None:
        run = read_run(table(ROWS), **FIELDS, where={"topic": "b"})
        assert [record.id for record in run] == ["1e5"]

    def test_more_rows_than_a_batch(self, table: Callable[[Rows], Any]) -> None:
        rows = [{"key": f"q{i}", "out": str(i)} for i in range(2500)]
        run = read_run(table(rows), id_field="key", prediction_field="out")
        assert [record.id for record in run] == [one["key"] for one in rows]


class TestRefusals:
    def test_a_wrong_row_is_named(self, table: Callable[[Rows], Any]) -> None:
        rows = [dict(one) for one in ROWS]
        rows[2]["score"] = float("inf")
        with pytest.raises(InputError, match=r"^v1 \(.*\), row 3: expected a finite number"):
            read_run(table(rows), **FIELDS, name="v1")

    def test_a_missing_field_is_named(self, table: Callable[[Rows], Any]) -> None:
        with pytest.raises(InputError, match=r"row 1: expected the field 'uot', got .*'out'"):
            read_run(table(ROWS), **{**FIELDS, "prediction_field": "uot"})

    def test_a_number_that_became_nan_is_no_answer(self) -> None:
        frame = pd.DataFrame({"id": ["a", "b"], "prediction": [1.5, np.nan]})
        assert [record.prediction for record in read_run(frame)] == [1.5, None]

    def test_two_columns_of_one_name(self) -> None:
        frame = pd.DataFrame([["a", "b", "c"]], columns=["id", "prediction", "prediction"])
        with pytest.raises(InputError, match="each column name once, got 'prediction' more"):
            read_run(frame)

    @pytest.mark.parametrize(
        ("source", "advice"),
        [
            (pd.Series(["A"]), "pass the whole frame"),
            ({"id": [1], "prediction": ["A"]}, "got builtins.dict"),
            ([["1", "A"]], "got a value of type list in it: for columns of answers call compare"),
            ([], "expected at least one row"),
            (7, "got builtins.int"),
        ],
    )
    def test_what_is_no_table(self, source: object, advice: str) -> None:
        with pytest.raises(InputError, match=advice):
            read_run(source)

    def test_a_dataset_of_splits(self) -> None:
        splits = pytest.importorskip("datasets").DatasetDict()
        with pytest.raises(InputError, match="choose a split"):
            read_run(splits)

    def test_a_lazy_frame(self) -> None:
        lazy = pytest.importorskip("polars").LazyFrame({"id": [1]})
        with pytest.raises(InputError, match=r"call its collect\(\) first"):
            read_run(lazy)


def row(item: int, answer: str) -> dict[str, Any]:
    return {"id": item, "pred": answer, "gold": "A", "cat": "x"}


OLD = [row(0, "A"), row(1, "A"), row(2, "B")]
# In another order; item 0 broke, and item 2 got fixed.
NEW = [row(2, "A"), row(0, "B"), row(1, "A")]
OPTIONS: Any = {"prediction_field": "pred", "reference_field": "gold", "slice_field": "cat"}


class TestComparing:
    def test_tables_are_joined_by_id(self, table: Callable[[Rows], Any]) -> None:
        def make(rows: Rows) -> Any:
            return table([{"key": one["id"], **one} for one in rows])

        options = {**OPTIONS, "id_field": "key"}
        comparison = compare_runs(make(OLD), make(NEW), **options)
        assert comparison.names == ("old", "new")
        assert (comparison.counts.negative, comparison.counts.positive) == (1, 1)
        assert list(comparison.slices) == ["x"]

    def test_a_table_against_a_run(self) -> None:
        old = read_run(OLD, **OPTIONS, name="v1")
        comparison = compare_runs(old, pd.DataFrame(NEW), **OPTIONS)
        assert comparison.names == ("v1", "new")
        assert comparison.counts.negative == 1

    def test_a_table_against_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "v2.jsonl"
        path.write_text("\n".join(map(json.dumps, NEW)), encoding="utf-8")
        comparison = compare_runs(OLD, str(path), **OPTIONS, names=("a", "b"))
        assert comparison.names == ("a", "b")
        assert comparison.counts.negative == 1

    def test_other_ids_are_refused(self) -> None:
        other = [{**one, "id": f"{one['id']}.0"} for one in NEW]
        with pytest.raises(PairingError, match="no id in all of them"):
            compare_runs(OLD, other, **OPTIONS)

    def test_options_for_runs_that_are_read(self) -> None:
        run = read_run(OLD, **OPTIONS)
        with pytest.raises(
            UsageError, match=r"expected no slice_field= for the run 'table', which is read"
        ):
            compare_runs(run, run, slice_field="cat")

    def test_a_key_reads_objects(self) -> None:
        old = [{"id": 1, "prediction": {"a": "x"}, "reference": "x"}]
        new = [{"id": 1, "prediction": {"a": "y"}, "reference": "x"}]
        comparison = compare_runs(old, new, key=lambda v: v["a"] if isinstance(v, dict) else v)
        assert comparison.counts.negative == 1

    def test_shuffled_frames_of_two_llamas(self, shared: Path) -> None:
        """Null is wrong, each run is judged by its own reference: 1022/1301, counted by hand."""
        folder = shared / "data" / "mmlu_pro"
        names = ("Meta-Llama-3-8B", "Meta-Llama-3_1-8B")
        frames = [
            pd.read_json(folder / f"{name}.jsonl.gz", lines=True).sample(frac=1, random_state=seed)
            for seed, name in enumerate(names)
        ]
        comparison = compare_runs(
            *frames,
            id_field="question_id",
            prediction_field="pred",
            reference_field="answer",
            slice_field="category",
            conflict="own",
            unanswered="wrong",
        )
        assert (comparison.counts.negative, comparison.counts.positive) == (1022, 1301)
