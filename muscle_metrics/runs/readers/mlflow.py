"""MLflow: the table of an evaluation, logged by ``mlflow.models`` or returned by ``genai``."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.glimpse import logs_in, only_log
from muscle_metrics.runs.files.json_array import read_json_array
from muscle_metrics.runs.files.json_document import read_json_document
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.readers.mlflow_rows import TableRows, TraceRows
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names, row_of, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["read", "recognise"]

_TABLE = "eval_results_table.json"
_DATA = ("data",)
_TRACE = b'"trace_id":'


def recognise(glimpse: Glimpse) -> str | None:
    r"""Tell a table by its name or columns: scores of metrics, or traces with assessments."""
    if glimpse.is_folder:
        return "it holds the table of an evaluation" if _logs(glimpse) else None
    return _why(glimpse)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per row.

    Parameters
    ----------
    glimpse : Glimpse
        The table, or the folder of a run or of its artifacts.
    choice : Choice
        Not needed: there is one task and no filter.

    Raises
    ------
    FileError
        If the file cannot be read to its end, a row is not what MLflow writes, or two rows have
        the same inputs.

    Examples
    --------
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from muscle_metrics.runs.choice import Choice
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "eval_results_table.json")
    ...     columns = '["inputs", "predictions", "em/score"]'
    ...     _ = path.write_text(f'{{"columns": {columns}, "data": [["2+2", "4", 1]]}}')
    ...     read(Glimpse(path), Choice()).records[0].scores
    {'em': 1.0}
    """
    found = only_log(glimpse, _logs(glimpse), "table of an evaluation")
    table = found.path
    rows: TableRows | TraceRows | None = None
    records = []
    number = 0
    for number, row in _rows(found):
        try:
            if rows is None:
                rows = TraceRows() if "trace_id" in row else TableRows([*row])
            records.append(rows.record(row))
        except InputError as error:
            raise FileError(f"{row_of(table, number)}: {error}") from error
    if rows is None:
        raise FileError(f"{visible(str(table))}: expected rows, got none: run the evaluation again")
    repeated = [
        name for name, count in Counter(record.id for record in records).items() if count > 1
    ]
    if repeated:
        raise FileError(
            f"{visible(str(table))}: expected the inputs of each row once, got those of "
            f"{len(repeated)} rows again, such as {show(repeated[0])}: a second evaluation in one "
            f"run adds to its table, give each a run of its own, and rows an input that tells "
            f"them apart"
        )
    return Run(tuple(records), _name(glimpse), MappingProxyType(rows.fingerprint()))


def _why(glimpse: Glimpse) -> str | None:
    start = b"".join(glimpse.start.split())
    columns = start.partition(b"]")[0] if start.startswith(b'{"columns":[') else b""
    if start.startswith((b"{" + _TRACE, b"[{" + _TRACE)) or b'"trace_id"' in columns:
        return "its rows are traces with assessments"
    if columns and (b'/score"' in columns or glimpse.path.name == _TABLE):
        return "it is a table with columns of scores"
    return None


def _logs(folder: Glimpse) -> list[Glimpse]:
    return logs_in(folder, ("*.json", "*.jsonl", f"artifacts/*{_TABLE}"), _why)


def _name(glimpse: Glimpse) -> str:
    """Name of the run, which is a folder in the store, or of the file where that says more."""
    path = glimpse.path
    folder = path if glimpse.is_folder else path.parent
    if not glimpse.is_folder and path.name != _TABLE:
        return path.stem
    return folder.parent.name if folder.name == "artifacts" else folder.name or path.stem


def _rows(glimpse: Glimpse) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a table that pandas wrote, whichever of its orientations was chosen."""
    path = glimpse.path
    start = b"".join(glimpse.start[:1024].split())
    if start.startswith(b"["):
        yield from read_json_array(path)
    elif start.startswith(b'{"columns":'):
        yield from _split_rows(path)
    elif start.startswith(b"{" + _TRACE + b"{"):
        yield from _column_rows(path)
    else:
        yield from read_jsonl(path)


def _split_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows where the names of columns stand first (orient="split")."""
    columns: list[str] = []
    for keys, number, value in read_json_document(path, {_DATA}):
        if keys == ("columns",):
            columns = [str(name) for name in value] if isinstance(value, list) else []
            if len(set(columns)) < len(columns) or not columns:
                raise FileError(
                    f"{visible(str(path))}: expected each column name once, got "
                    f"{list_names(columns) or 'none'}: rename all but one"
                )
        elif number:
            if not isinstance(value, list) or len(value) != len(columns):
                raise FileError(
                    f"{row_of(path, number)}: expected {len(columns)} values as there are columns, "
                    f"got {len(value) if isinstance(value, list) else 'no list'}: "
                    f"write the table again"
                )
            yield number, dict(zip(columns, value, strict=True))


def _column_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows where every column is an object by index (orient="columns")."""
    rows: dict[str, dict[str, object]] = {}
    for name, column in read_json_object(path).items():
        if not isinstance(column, dict) or (rows and column.keys() != rows.keys()):
            raise FileError(
                f"{visible(str(path))}: expected a value for every row in the column "
                f"{show(name)}, got others: write the table again"
            )
        for index, value in column.items():
            rows.setdefault(index, {})[name] = value
    yield from enumerate(rows.values(), start=1)
