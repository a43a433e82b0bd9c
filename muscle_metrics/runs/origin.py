"""Where a run was read from, so that texts of listed items can be read there later."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Origin", "origin_of"]

Stamp = tuple[str, int, int, int]


# Compared by identity: each reading has its own.
@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The log of a run, and how it was read.

    Parameters
    ----------
    name : str
        The file or folder, as the user named it.
    path : Path
        The same, absolute.
    harness : str
        Name of the harness.
    choice : Choice
        The choices of the user; a Choice narrows a Run, which has an Origin.
    stamps : tuple
        Name, size, time of content and time of status of each file, before it was read.
    """

    name: str
    path: Path
    harness: str
    choice: Any
    stamps: tuple[Stamp, ...]

    def check_unchanged(self) -> None:
        """Refuse a log that is not the one that was read.

        Raises
        ------
        FileError
            If a file was changed, removed or added.
        """
        if _stamps_of(self.path) != self.stamps:
            raise FileError(
                f"{visible(self.name)}: expected the log as it was read, got files that were "
                f"changed, added or removed since: compare again"
            )


def origin_of(path: Path, harness: str, choice: Any) -> Origin | None:
    """Origin of a run that is about to be read; None for a pipe, which is read once."""
    name, path = str(path), path.absolute()
    if not (path.is_file() or path.is_dir()):
        return None
    return Origin(name, path, harness, choice, _stamps_of(path))


def _stamps_of(path: Path) -> tuple[Stamp, ...]:
    """Stamps of a file, or of all files below a folder; a tool can reset the first time alone."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    stamps = []
    for file in files:
        try:
            found = os.stat(file)
        except OSError:
            stamps.append((str(file), -1, -1, -1))
            continue
        if not file.is_dir():
            stamps.append((str(file), found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    return tuple(stamps)
