"""A table in memory as rows: a data frame, a Hugging Face dataset, or a list of dicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    Row = Mapping[str, object]
    Read = Callable[[list[str]], Iterator[Row]]

__all__ = ["Table", "open_table"]

_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a table, with what messages say about them; `open_table` makes one.

    Parameters
    ----------
    stem : str
        Name of the run in the table.
    kind : str
        What the table is, such as "pandas data frame".
    columns : tuple of str, or None
        Names of the columns; None where each row has its own names.
    read : callable
        Gives the rows, from the names of the columns to read.
    """

    stem: str
    kind: str
    columns: tuple[str, ...] | None
    read: Read

    format = "table"
    split = None

    def __str__(self) -> str:
        return f"{visible(self.stem)} ({self.kind})"

    def rows(self, fields: Collection[str]) -> Iterator[tuple[int, Row]]:
        """Rows with their numbers from 1; of a table with columns only those that hold fields."""
        chosen = [
            name
            for name in self.columns or ()
            if any(field == name or field.startswith(f"{name}.") for field in fields)
        ]
        if self.columns is not None and not chosen:
            # The caller finds no field in this empty row, and raises the error that names it.
            return iter([(1, {})])
        return enumerate(self.read(chosen), start=1)

    def names(self, row: Row) -> list[str]:
        """Fields a user may choose from."""
        return list(map(str, row)) if self.columns is None else list(self.columns)

    def place(self, number: int) -> str:
        """Name of the place of a row, for messages."""
        return f"{self}, row {number}"


def open_table(source: object, name: str = "table") -> Table:
    """Recognise a table by the package that its type comes from, without importing that package.

    Parameters
    ----------
    source : object
        A data frame of pandas or Polars, a table of pyarrow, a dataset of Hugging Face, or a list
        of dicts.
    name : str, default "table"
        Name of its run.

    Raises
    ------
    InputError
        If it is none of them, or two columns have the same name.

    Examples
    --------
    >>> table = open_table([{"id": 1, "prediction": "A"}])
    >>> str(table), list(table.rows(["id"]))
    ('table (list of dicts)', [(1, {'id': 1, 'prediction': 'A'})])
    """
    if isinstance(source, list | tuple):
        return Table(name, "list of dicts", None, lambda _: map(_dict, source))
    types = [(cls.__module__.partition(".")[0], cls.__name__) for cls in type(source).__mro__]
    for one in types:
        if one in _COLUMNAR:
            kind, open_columns = _COLUMNAR[one]
            columns, read = open_columns(source)
            return Table(name, kind, _unique(columns, f"{visible(name)} ({kind})"), read)
    advice = _ADVICE.get(types[0], "pass one of these, or the path of a file")
    raise InputError(
        f"expected a path, a Run, a data frame of pandas or Polars, a table of pyarrow, a dataset "
        f"of Hugging Face or a list of dicts, got {'.'.join(types[0])}: {advice}"
    )


def _open_pandas(frame: Any) -> tuple[list[str], Read]:
    """Take a named index as a column; missing values of any kind become None."""
    named = [
        position
        for position, name in enumerate(frame.index.names)
        if name is not None and name not in frame.columns
    ]
    frame = frame.reset_index(level=named) if named else frame
    columns = [str(name) for name in frame.columns]

    def read(chosen: list[str]) -> Iterator[Row]:
        picked = frame.set_axis(columns, axis="columns")[chosen]
        for start in range(0, len(picked), _BATCH):
            part = picked.iloc[start : start + _BATCH]
            values = [_plain_values(part[name]) for name in chosen]
            yield from (dict(zip(chosen, row, strict=True)) for row in zip(*values, strict=True))

    return columns, read


def _plain_values(column: Any) -> list[object]:
    """Values of a pandas column as Python objects, None where one is missing."""
    values = column.astype(object).where(column.notna(), None).tolist()
    return [_plain(value) for value in values]


def _plain(value: Any) -> object:
    """Turn a scalar or an array of numpy into Python objects."""
    is_numpy = type(value).__module__.partition(".")[0] == "numpy"
    return value.tolist() if is_numpy else value


def _open_polars(frame: Any) -> tuple[list[str], Read]:
    return frame.columns, lambda chosen: frame.select(chosen).iter_rows(named=True)


def _open_arrow(table: Any) -> tuple[list[str], Read]:
    def read(chosen: list[str]) -> Iterator[Row]:
        for batch in table.select(chosen).to_batches(max_chunksize=_BATCH):
            yield from batch.to_pylist()

    return table.column_names, read


def _open_dataset(dataset: Any) -> tuple[list[str], Read]:
    # In another format, such as that of torch, values are tensors.
    return dataset.column_names, lambda chosen: iter(
        dataset.select_columns(chosen).with_format(None)
    )


def _unique(names: list[str], table: str) -> tuple[str, ...]:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InputError(
            f"{table}: expected each column name once, got {list_names(repeated)} more than once: "
            f"rename all but one"
        )
    return tuple(names)


def _dict(row: object) -> Row:
    if not isinstance(row, dict):
        raise InputError(
            f"expected a list of dicts, one for each item, got a value of type "
            f"{type(row).__name__} in it: for columns of answers call compare(old=, new=, "
            f"references=)"
        )
    return {str(name): _plain(value) for name, value in row.items()}


# Kind and opener of each type; an opener gives the names of columns, and a reader of some of them.
_COLUMNAR: Mapping[tuple[str, str], tuple[str, Callable[[Any], tuple[list[str], Read]]]] = {
    ("pandas", "DataFrame"): ("pandas data frame", _open_pandas),
    ("polars", "DataFrame"): ("Polars data frame", _open_polars),
    ("pyarrow", "Table"): ("pyarrow table", _open_arrow),
    ("datasets", "Dataset"): ("Hugging Face dataset", _open_dataset),
}
_ADVICE: Mapping[tuple[str, str], str] = {
    ("polars", "LazyFrame"): "call its collect() first",
    ("datasets", "DatasetDict"): 'choose a split, such as dataset["test"]',
    ("pandas", "Series"): "pass the whole frame and name its columns with prediction_field=",
}
