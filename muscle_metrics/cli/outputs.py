"""Files that a command writes, and the lines it prints."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["check_outputs", "print_lines", "warn"]


def check_outputs(outputs: Iterable[str | None], inputs: Sequence[str]) -> None:
    """Refuse to write one file twice, or over a file that is read.

    Raises
    ------
    UsageError
        If two options name one file.

    Examples
    --------
    >>> check_outputs(["result.json", None], ["old.jsonl", "new.jsonl"])
    """
    taken = {Path(path).resolve() for path in inputs}
    for output in filter(None, outputs):
        path = Path(output).resolve()
        if path in taken:
            raise UsageError(
                f"expected a file of its own for every report, got {output!r} twice or as a run: "
                f"name another"
            )
        taken.add(path)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines at once, and fail here rather than at exit if nobody can read them.

    Examples
    --------
    >>> print_lines(["PASS: old -> new"])
    PASS: old -> new
    """
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def warn(message: str) -> None:
    """Say something on standard error, in one line that is only text.

    Examples
    --------
    >>> warn("the summary is full")
    """
    from muscle_metrics.words.escape import terminal
    from muscle_metrics.words.secrets import hide_secrets

    # An error about the error would end in Python's own exit code, which is that of FAIL; without
    # a standard error there is no stream at all.
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"muscle-metrics: {terminal(hide_secrets(message).value)}\n")
        sys.stderr.flush()
