"""Standard output and standard error, with or without a terminal behind them."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError
from muscle_metrics.runs.files.undoing import undone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

__all__ = ["open_screen", "print_lines", "print_text", "warn", "working"]


def print_lines(lines: Iterable[str], *, stderr: bool = False) -> None:
    """Print lines and flush them: a closed pipe fails here, and not when Python exits.

    Parameters
    ----------
    lines : iterable of str
        Without their line ends.
    stderr : bool
        Whether a report is on standard output, so that the lines go to standard error. They repeat
        the report: it is no error if nobody can read them.

    Raises
    ------
    UsageError
        If standard output is closed, or the disk behind it is full.
    """
    text = "".join(f"{line}\n" for line in lines)
    if stderr:
        with suppress(OSError, AttributeError):
            sys.stderr.write(text)
            sys.stderr.flush()
        return
    print_text(text)


def print_text(text: str) -> None:
    """Print text as it is and flush it; it raises as `print_lines` does."""
    # A process that was started with a closed stream has none.
    if sys.stdout is None:
        raise _unprintable("a closed stream")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python flushes again at its exit, and would fail with an exit code of its own.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise _unprintable(error.strerror or str(error)) from error


def _unprintable(reason: str) -> UsageError:
    return UsageError(
        f"expected to write standard output, got {reason}: redirect it to a file that can be "
        f"written, or to /dev/null"
    )


def warn(message: str) -> None:
    """Write one line of plain text to standard error."""
    from muscle_metrics.words.escape import terminal
    from muscle_metrics.words.secrets import hide_secrets

    # An error here would end in Python's own exit code, 1, which is the code of FAIL. A process
    # without standard error has no stream at all.
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"muscle-metrics: {terminal(hide_secrets(message).value)}\n")
        sys.stderr.flush()


def open_screen(*, stderr: bool = False) -> Console:
    """Open standard output, or standard error, as rich sees it.

    ``NO_COLOR`` and ``TERM=dumb`` remove every style, ``FORCE_COLOR`` makes a pipe a terminal, and
    ``COLUMNS`` sets its width. These variables change the display, never a computed value.
    """
    from rich.console import Console

    console = Console(highlight=False, stderr=stderr)
    if not console.no_color:
        return console
    # rich keeps bold and dim under NO_COLOR. A user who wants no colours wants no escapes.
    return Console(highlight=False, stderr=stderr, color_system=None)


@contextmanager
def working(task: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on standard error while the body runs, if that is a terminal.

    Parameters
    ----------
    task : str
        Text beside the spinner.

    Yields
    ------
    callable
        Takes the next text.
    """
    # A process that was started without a standard error has none.
    if sys.stderr is None or not sys.stderr.isatty():
        yield _ignore
        return
    from rich.text import Text

    from muscle_metrics.words.escape import shorten, terminal

    screen = open_screen(stderr=True)
    if screen.is_dumb_terminal:
        # A dumb terminal cannot erase the frames of a spinner.
        yield _ignore
        return

    def shown(task: str) -> Text:
        return Text(terminal(shorten(task, 60)))

    # A signal ends the command at once: rich could not show the cursor again.
    with undone(_show_cursor), screen.status(shown(task)) as status:
        yield lambda task: status.update(shown(task))


def _show_cursor() -> None:
    # Not through rich, whose lock the main thread may hold.
    with suppress(OSError):
        os.write(2, b"\x1b[?25h")


def _ignore(_: str) -> None:
    """Show no progress."""
