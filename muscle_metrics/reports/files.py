"""Writing a report so that a failure leaves the old one whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from muscle_metrics.errors import UsageError

__all__ = ["write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a file at once or not at all: a temporary file beside it, then a rename.

    A symbolic link at `path` is replaced, not followed.

    Raises
    ------
    UsageError
        If the folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> write_text(Path(tempfile.mkdtemp()) / "result.json", "{}")
    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise UsageError(
            f"expected to write {str(path)!r}, got {error.strerror or error}: "
            f"give a file in a folder that exists and can be written"
        ) from error
