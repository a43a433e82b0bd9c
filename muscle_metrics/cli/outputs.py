"""Files that options name for reports: checked before any work, and written after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.cli.mistakes import real_path
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["check_outputs", "names_standard_output", "print_reports", "write_files"]

# Stands for standard output among paths; no path is empty.
STANDARD = ""


def check_outputs(outputs: Iterable[str | None], inputs: Sequence[str]) -> None:
    """Refuse outputs that could not be written, or that would replace another or a run.

    Raises
    ------
    UsageError
        If an output is a folder or in none, or two options name one file.
    """
    from muscle_metrics.reports.files import check_target, is_file, is_standard_output

    taken = {real_path(path) for path in inputs}
    for output in outputs:
        if output is None:
            continue
        check_target(output)
        path = STANDARD if is_standard_output(output) else real_path(output)
        if path in taken:
            raise UsageError(
                f"expected a file of its own for every report, got {output!r} twice or as a run: "
                f"name another"
            )
        # /dev/null takes any number of reports.
        if path == STANDARD or is_file(output):
            taken.add(path)


def names_standard_output(outputs: Iterable[str | None]) -> bool:
    """Whether a report goes to standard output; tables and verdicts then go to standard error."""
    from muscle_metrics.reports.files import is_standard_output

    return any(is_standard_output(output) for output in outputs if output is not None)


def write_files(texts: Mapping[str, str]) -> None:
    """Write every report but one for standard output.

    Parameters
    ----------
    texts : mapping of str to str
        Content by output.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    _write(texts, printed=False)


def print_reports(texts: Mapping[str, str]) -> None:
    """Write the report for standard output, if there is one, when nothing else can fail."""
    _write(texts, printed=True)


def _write(texts: Mapping[str, str], *, printed: bool) -> None:
    from muscle_metrics.reports.files import is_standard_output, write_text

    for output, text in texts.items():
        if is_standard_output(output) == printed:
            write_text(output, text)
