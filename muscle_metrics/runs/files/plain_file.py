"""Plain formats: their names, how a file is recognised, and the reader of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, check_choice
from muscle_metrics.runs.files.bytestream import BYTE_ORDER_MARK
from muscle_metrics.runs.files.dataset_folder import (
    dataset_columns,
    is_dataset,
    read_dataset,
    split_of,
)
from muscle_metrics.runs.files.delimited import read_csv, read_tsv
from muscle_metrics.runs.files.documents import refuse_document
from muscle_metrics.runs.files.json_stream import read_json_array
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.files.parquet import column_names, read_parquet
from muscle_metrics.runs.files.text_lines import read_text_lines
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import line_of, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["PLAIN_FORMATS", "PlainFile", "open_plain"]

PLAIN_FORMATS = ("jsonl", "json", "csv", "tsv", "txt", "parquet", "datasets")

_READERS: Mapping[str, Callable[[Path], Iterator[tuple[int, Mapping[str, object]]]]] = (
    MappingProxyType(
        {
            "jsonl": read_jsonl,
            "json": read_json_array,
            "csv": read_csv,
            "tsv": read_tsv,
            "txt": read_text_lines,
        }
    )
)
_STARTS = MappingProxyType({b"PAR1": "parquet", b"[": "json", b"{": "jsonl"})
# What an answer in a text file never begins with: Parquet, an array of rows, names of columns.
_ROWS = re.compile(rb"PAR1|\[\s*\{|\"?id\"?[,\t]|[^\n]*[,\t]\"?id\"?\r?\n", re.IGNORECASE)
_COMPRESSIONS = (".gz", ".zst")
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet")


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file and the format it is in.

    Parameters
    ----------
    path : Path
        The file.
    format : str
        One of `PLAIN_FORMATS`.
    """

    path: Path
    format: str

    def __str__(self) -> str:
        return visible(str(self.path))

    @property
    def stem(self) -> str:
        """Name of the file without the suffixes of its format and compression."""
        name = _uncompressed_name(self.path)
        for suffix in _SUFFIXES:
            if name.endswith(suffix) and name != suffix:
                return name.removesuffix(suffix)
        return name

    @property
    def split(self) -> str | None:
        """Split that a dataset was saved from; None where it is unknown."""
        return split_of(self.path) if self.format == "datasets" else None

    def rows(self, fields: Collection[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
        """Rows with their numbers; a format with columns reads only those that `fields` name."""
        if self.format == "datasets":
            return read_dataset(self.path, fields)
        if self.format == "parquet":
            return read_parquet(self.path, fields)
        return _READERS[self.format](self.path)

    def names(self, row: Mapping[str, object]) -> list[str]:
        """Fields a user may choose from where rows look like `row`; nested ones are dotted."""
        if self.format == "datasets":
            return dataset_columns(self.path)
        if self.format == "parquet":
            return column_names(self.path)
        names: list[str] = []
        for name, value in row.items():
            names += [f"{name}.{part}" for part in value] if isinstance(value, dict) else [name]
        return names

    def place(self, number: int) -> str:
        """Name of the place of a row, for messages."""
        name_place = row_of if self.format in {"json", "parquet", "datasets"} else line_of
        return name_place(self.path, number)


def open_plain(glimpse: Glimpse, file_format: str = "auto") -> PlainFile:
    """Recognise a format by the first characters of a file; CSV, TSV and TXT by its name.

    Parameters
    ----------
    glimpse : Glimpse
        The file; only its start is read here.
    file_format : str
        One of `PLAIN_FORMATS` where the user knows it, or "auto".

    Raises
    ------
    FileError
        If the file is empty, cannot be read, or its format is not recognised; if it is one JSON
        document, which holds no rows.
    UsageError
        If `file_format` is neither "auto" nor one of `PLAIN_FORMATS`.
    """
    check_choice("format", file_format, ["auto", *PLAIN_FORMATS])
    name = _recognise(glimpse) if file_format == "auto" else file_format
    if name in {"json", "jsonl"} or file_format == "auto":
        refuse_document(glimpse)
    return PlainFile(glimpse.path, name)


def _recognise(glimpse: Glimpse) -> str:
    path = glimpse.path
    if is_dataset(path):
        return "datasets"
    start = glimpse.head.removeprefix(BYTE_ORDER_MARK).lstrip()
    suffix = Path(_uncompressed_name(path)).suffix
    if suffix == ".txt" and glimpse.head and not (glimpse.row or _ROWS.match(start)):
        # An answer may begin with a bracket or a brace too.
        return "txt"
    for magic, name in _STARTS.items():
        if start.startswith(magic):
            return name
    if start and suffix in {".csv", ".tsv"}:
        return suffix.removeprefix(".")
    given = f"content that starts with {start[:12]!r}" if start else "an empty file"
    raise FileError(
        f"{visible(str(path))}: expected JSON, CSV, TSV, TXT or Parquet, got {given}: "
        f"name the format with --format {'|'.join(PLAIN_FORMATS)} (format=...)"
    )


def _uncompressed_name(path: Path) -> str:
    name = path.name
    for suffix in _COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name
