"""Columns with labels are compared as the rows of a file with the same fields."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, compare, compare_chain, compare_runs, count_chain, read_run

FIELDS = {"repeat_field": "k", "group_field": "g", "slice_field": "s"}
ROWS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["q2", "q10", "вопрос", "07"]),
        "k": st.none() | st.integers(0, 11),
        "g": st.none() | st.sampled_from(["a", "b"]),
        "s": st.none() | st.sampled_from(["x", "y"]),
        "reference": st.sampled_from("AB"),
        "answers": st.tuples(*[st.sampled_from("ABC")] * 3),
    }
)
UNIQUE = st.lists(ROWS, min_size=1, max_size=9, unique_by=lambda row: (row["id"], row["k"]))


def run_of(rows: list[dict[str, Any]], version: int) -> Any:
    table = [{**row, "prediction": row["answers"][version]} for row in rows]
    return read_run(table, name=f"v{version + 1}", **FIELDS)


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


@given(UNIQUE)
def test_repeats_groups_and_slices(rows: list[dict[str, Any]]) -> None:
    old, new, _ = zip(*column(rows, "answers"), strict=True)
    labels = {"ids": "id", "repeats": "k", "groups": "g", "slices": "s", "references": "reference"}
    given_columns = {option: column(rows, name) for option, name in labels.items()}
    by_position = compare(old=old, new=new, **given_columns)
    by_id = compare_runs(run_of(rows, 0), run_of(rows, 1))
    assert list(by_position.items()) == list(by_id.items())
    assert (by_position.table.unit, by_position.is_repeated) == (
        by_id.table.unit,
        by_id.is_repeated,
    )
    assert by_position.table.unit_numbers.tolist() == by_id.table.unit_numbers.tolist()


@given(UNIQUE)
def test_groups_of_a_chain(rows: list[dict[str, Any]]) -> None:
    rows = [{**row, "k": None, "id": str(n)} for n, row in enumerate(rows)]
    rows[-1]["g"] = "a"
    versions = list(zip(*column(rows, "answers"), strict=True))
    columns = {"references": column(rows, "reference"), "groups": column(rows, "g")}
    counted = count_chain(versions=versions, **columns)
    joined = compare_chain([run_of(rows, version) for version in range(3)])
    assert (counted.steps, counted.unit) == (joined.steps, "groups")
    assert counted.units.tolist() == joined.units.tolist()


def test_a_generation_must_not_occur_twice() -> None:
    columns = {"old": ["A"] * 3, "new": ["B"] * 3, "references": ["A"] * 3}
    assert compare(**columns, ids=["q", "q", "p"], repeats=[1, 2, 1]).is_repeated
    with pytest.raises(InputError, match=r"got 'q' 2 times and 2 different ones for 3 rows"):
        compare(**columns, ids=["q", "p", "q"], repeats=[1, 1, 1])
    with pytest.raises(InputError, match=r"old 3, ids 3, repeats 2"):
        compare(**columns, ids=["q", "p", "q"], repeats=[1, 1])


def test_labels_of_another_frame_are_refused() -> None:
    """A shuffled frame has the same row numbers: only its ids say which item a label belongs to."""
    old = pd.DataFrame({"pred": list("AAB"), "gold": list("AAA"), "passage": list("xxy")})
    new = old.sample(frac=1, random_state=1).reset_index(drop=True)
    columns = {"old": old.pred, "new": old.pred, "references": old.gold}
    for labels in ("groups", "repeats", "slices", "prompts", "ids"):
        with pytest.raises(InputError, match="row numbers of different frames"):
            compare(**columns, **{labels: new.passage})
    with pytest.raises(InputError, match="row numbers of different frames"):
        count_chain(versions=[old.pred, old.pred], references=old.gold, groups=new.passage)
