"""Files that people write for a gate: TOML, and ids one per line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError
from muscle_metrics.words.escape import shorten, visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fits_line", "read_ids", "read_toml"]


def read_toml(file: Path, what: str) -> dict[str, Any]:
    """Read a file of TOML, with its fractions as text.

    Parameters
    ----------
    file : Path
        The file.
    what : str
        What it should hold, for the message, such as "a policy".

    Raises
    ------
    UsageError
        If the file cannot be read, or is not TOML.
    """
    import tomllib

    try:
        # Some editors write a byte order mark first. Numbers stay text, so limits are exact.
        return tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=str)
    except (OSError, ValueError, RecursionError) as error:
        # Also a name with a NUL, numbers of thousands of digits, and nesting beyond the stack.
        raise UsageError(
            f"expected {what} in TOML in {str(file)!r}, got {shorten(visible(str(error)), 300)}: "
            f"name a text file in TOML"
        ) from error


def read_ids(path: Path) -> list[str]:
    r"""Read ids from a text file, one per line.

    Raises
    ------
    UsageError
        If the file cannot be read, is not UTF-8, or names no id.
    """
    try:
        # A byte order mark before the first id would be a part of it, and pin no item.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise _no_ids(path, "bytes that are not UTF-8") from error
    except (OSError, ValueError) as error:
        raise _no_ids(path, getattr(error, "strerror", None) or str(error)) from error
    ids = [line for line in lines if line]
    if not ids:
        # Whoever names a file expects it to hold: an export that failed would pin nothing.
        raise _no_ids(path, "none")
    return ids


def fits_line(name: str) -> bool:
    r"""Whether a file of ids, one per line, can hold an id: `read_ids` must give it again.

    Examples
    --------
    >>> fits_line(' "q1" '), fits_line("two\nlines"), fits_line("")
    (True, False, False)
    """
    # Reading takes a carriage return for the end of a line, and drops a byte order mark before the
    # first line; UTF-8 has no lone surrogates.
    is_text = not any("\ud800" <= char <= "\udfff" for char in name)
    return is_text and bool(name) and name[0] != "\ufeff" and not {"\r", "\n"} & {*name}


def _no_ids(path: Path, reason: str) -> UsageError:
    shown = shorten(repr(str(path)), 300)
    return UsageError(f"expected one id per line in {shown}, got {reason}: name a text file")
