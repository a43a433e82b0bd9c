"""The files of a run: one, or all of a folder of shards or of a pattern such as ``v1/*.jsonl``."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from muscle_metrics.errors import FileError
from muscle_metrics.words.escape import visible

__all__ = ["find_shards", "is_shard_folder"]

# Not .json: what is not recognised in a folder of these is a log rather than rows.
_ENDINGS = frozenset({"", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"})
_COMPRESSIONS = (".gz", ".zst")


def find_shards(path: Path) -> list[Path]:
    """Files of a folder or a pattern, sorted by name; any other path stands for itself.

    Hidden files, and those that Spark and Hadoop begin with ``_``, are left out.

    Raises
    ------
    FileError
        If a folder holds no file.
    """
    if os.path.isdir(path):
        shards = sorted(child for child in path.iterdir() if _is_shard(child))
        if not shards:
            raise FileError(
                f"{visible(str(path))}: expected files in the folder, got none: name a run"
            )
        return shards
    # A file may have the name of a pattern.
    if os.path.lexists(path) or not glob.has_magic(str(path)):
        return [path]
    return sorted(filter(_is_shard, map(Path, glob.glob(str(path))))) or [path]


def is_shard_folder(path: Path) -> bool:
    """Whether a folder holds files of rows of one kind, and nothing else.

    Examples
    --------
    >>> is_shard_folder(Path("/"))
    False
    """
    children = [child for child in path.iterdir() if child.name[0] not in "._"]
    kinds = {_ending(child) for child in children}
    return len(kinds) == 1 and kinds <= _ENDINGS and all(map(_is_shard, children))


def _is_shard(path: Path) -> bool:
    return path.name[0] not in "._" and os.path.isfile(path)


def _ending(path: Path) -> str:
    name = path.name
    for compression in _COMPRESSIONS:
        name = name.removesuffix(compression)
    return Path(name).suffix
