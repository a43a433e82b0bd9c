"""What is being done, said on a terminal while it takes time, and nowhere else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["working"]


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner on standard error while the body runs, if that is a terminal.

    Examples
    --------
    >>> with working("reading"):
    ...     pass
    """
    # A process that was started without a standard error has none.
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.text import Text

    from muscle_metrics.cli.screen import open_screen
    from muscle_metrics.reports.escape import shorten, terminal

    screen = open_screen(stderr=True)
    if screen.is_dumb_terminal:
        # It could not take back what a spinner draws.
        yield
        return
    with screen.status(Text(terminal(shorten(what, 60)))):
        yield
