"""What is being done, said on a terminal while it takes time, and nowhere else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["working"]


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on standard error while the body runs, if that is a terminal.

    Parameters
    ----------
    what : str
        What is being done.

    Yields
    ------
    callable
        Takes what is done next.

    Examples
    --------
    >>> with working("reading") as say:
    ...     say("comparing")
    """
    # A process that was started without a standard error has none.
    if sys.stderr is None or not sys.stderr.isatty():
        yield _unheard
        return
    from rich.text import Text

    from muscle_metrics.cli.screen import open_screen
    from muscle_metrics.words.escape import shorten, terminal

    screen = open_screen(stderr=True)
    if screen.is_dumb_terminal:
        # It could not take back what a spinner draws.
        yield _unheard
        return

    def shown(what: str) -> Text:
        return Text(terminal(shorten(what, 60)))

    with screen.status(shown(what)) as status:
        yield lambda what: status.update(shown(what))


def _unheard(_: str) -> None:
    """Where nobody watches."""
