"""Write reports so that a failure leaves the old file whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["append_text", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a file at once or not at all: a temporary file beside it, then a rename.

    A symbolic link at `path` is replaced, not followed.

    Raises
    ------
    UsageError
        If the folder is missing or not writable, or the disk is full.
    """
    with _explained(path):
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".muscle-metrics.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def append_text(path: Path, text: str) -> None:
    """Append text to a file, all of it or nothing; only its owner may read a new file.

    A symbolic link at `path` is refused, not followed.

    Raises
    ------
    UsageError
        If the file cannot be written or is a symbolic link, or the disk is full.
    """
    with _explained(path), open(path, "ab", buffering=0, opener=_open_itself) as file:
        size = file.seek(0, os.SEEK_END)
        left = memoryview(text.encode())
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(size)
            raise


def _open_itself(path: str, flags: int) -> int:
    # Windows has no O_NOFOLLOW.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected to write {str(path)!r}, got {error.strerror or error}: "
            f"give a file in a folder that exists and can be written"
        ) from error
