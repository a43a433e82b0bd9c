"""A Hugging Face dataset on disk: a folder of Arrow streams, as ``save_to_disk`` writes it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, require
from muscle_metrics.runs.files.arrow_rows import arrow_errors, batch_rows, unique_names
from muscle_metrics.runs.files.bytestream import Budget, check_regular
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import describe, list_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["dataset_columns", "is_dataset", "read_dataset", "split_of"]

_STATE, _SPLITS = "state.json", "dataset_dict.json"


def is_dataset(path: Path) -> bool:
    """Recognise a dataset by the file that lists its shards, or by its list of splits."""
    return os.path.isfile(path / _STATE) or os.path.isfile(path / _SPLITS)


def dataset_columns(path: Path) -> list[str]:
    """Names of the columns of a dataset.

    Raises
    ------
    FileError
        If the dataset cannot be read, or holds several splits.
    MissingDependencyError
        If pyarrow is not installed.
    """
    with _open(_shards(path)[0], None) as reader:
        names: list[str] = reader.schema.names
        return names


def split_of(path: Path) -> str | None:
    """Name of the split that a dataset was saved from, such as "test"; None where it is unknown."""
    if not os.path.isfile(path / _STATE):
        path = _only_split(path)
    split = read_json_object(path / _STATE).get("_split")
    return split if isinstance(split, str) else None


def read_dataset(path: Path, fields: Collection[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a dataset with their numbers from 1.

    Parameters
    ----------
    path : Path
        The folder of a dataset, or of several splits of which there is one.
    fields : collection of str
        Columns to read, or dotted paths into them; those that the dataset lacks are left out.

    Raises
    ------
    FileError
        If a file is damaged or exceeds its budget, or the folder holds several splits.
    MissingDependencyError
        If pyarrow is not installed.
    """
    number = 0
    for shard in _shards(path):
        with _open(shard, None) as reader:
            names = unique_names(shard, reader.schema.names)
        columns = [
            index
            for index, name in enumerate(names)
            if any(field == name or field.startswith(f"{name}.") for field in fields)
        ]
        if not columns:
            # The caller finds no field in this empty row, and raises the error that names it.
            yield 1, {}
            return
        budget = Budget(shard)
        with _open(shard, columns) as reader:
            for batch in reader:
                # Without a full check Arrow trusts the offsets in the file, and reads beyond it.
                batch.validate(full=True)
                for row in batch_rows(batch, budget):
                    number += 1
                    yield number, row


def _shards(path: Path) -> list[Path]:
    """Files that hold the rows, in their order."""
    if not os.path.isfile(path / _STATE):
        return _shards(_only_split(path))
    files = read_json_object(path / _STATE).get("_data_files")
    shards = []
    for entry in files if isinstance(files, list) else []:
        name = entry.get("filename") if isinstance(entry, dict) else None
        if not isinstance(name, str) or "/" in name or "\\" in name or name in {"", ".", ".."}:
            given = describe(name)
            raise FileError(
                f"{visible(str(path / _STATE))}: expected names of files in the folder itself, got "
                f"{given}: save the dataset again"
            )
        if not os.path.lexists(path / name):
            raise FileError(
                f"{visible(str(path / _STATE))}: expected the data files that it lists, got none "
                f"named {describe(name)}: save the dataset again, or fetch the whole folder"
            )
        shards.append(path / name)
    if not shards:
        raise FileError(
            f"{visible(str(path / _STATE))}: expected the names of data files, got "
            f"{describe(files)}: save the dataset again"
        )
    return shards


def _only_split(path: Path) -> Path:
    splits = read_json_object(path / _SPLITS).get("splits")
    names = [name for name in splits if isinstance(name, str)] if isinstance(splits, list) else []
    found = [
        path / name for name in names if "/" not in name and os.path.isfile(path / name / _STATE)
    ]
    # A split that is listed but missing may be the one that is meant.
    if len(names) != 1 or not found:
        raise FileError(
            f"{visible(str(path))}: expected one split, got {list_names(names) or 'none'}: name "
            f"the folder of the one you mean"
        )
    return found[0]


@contextmanager
def _open(path: Path, columns: list[int] | None) -> Iterator[Any]:
    """Open the stream of a file for some of its columns."""
    with arrow_errors(path, "Arrow stream", "save the dataset again"):
        ipc = require("pyarrow.ipc", "parquet")
        check_regular(path)
        options = ipc.IpcReadOptions(included_fields=columns, use_threads=False)
        with path.open("rb") as file, ipc.open_stream(file, options=options) as reader:
            yield reader
