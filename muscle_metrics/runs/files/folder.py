"""The one log in a folder, so that a folder is as good as a file."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["logs_in", "only_log"]

# A folder of data may hold millions of files; one of logs does not.
_MOST_LOOKED_AT = 1000


def logs_in(
    folder: Path, patterns: tuple[str, ...], recognise: Callable[[Path], str | None]
) -> list[Path]:
    """Files of a folder, in order of their names, that are logs of one kind.

    Examples
    --------
    >>> from pathlib import Path
    >>> logs_in(Path("no-such-folder"), ("*.json",), lambda path: "why not")
    []
    """
    found = {path for pattern in patterns for path in islice(folder.glob(pattern), _MOST_LOOKED_AT)}
    return [path for path in sorted(found) if path.is_file() and recognise(path) is not None]


def only_log(path: Path, found: list[Path], what: str) -> Path:
    """Path itself if it is no folder, or else the only log found in it.

    Parameters
    ----------
    path : Path
        What the user named.
    found : list of Path
        Logs in that folder.
    what : str
        What they are, for the message.

    Raises
    ------
    FileError
        If there are none, or several: which of them is meant is not guessed.

    Examples
    --------
    >>> from pathlib import Path
    >>> only_log(Path("run.json"), [], "test run")
    PosixPath('run.json')
    """
    if not path.is_dir():
        return path
    if len(found) != 1:
        names = list_names([str(log.relative_to(path)) for log in found]) or "none"
        raise FileError(
            f"{visible(str(path))}: expected one {what} in the folder, got {names}: "
            f"name the one you mean"
        )
    return found[0]
