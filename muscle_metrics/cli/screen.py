"""The screen, where there is one, as its user wants it: no other file asks about terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["open_screen"]


def open_screen(*, stderr: bool = False) -> Console:
    """Open standard output, or standard error, as rich sees it.

    ``NO_COLOR`` and ``TERM=dumb`` take away every style, ``FORCE_COLOR`` makes a pipe a terminal,
    and ``COLUMNS`` sets its width. Such variables change how a thing looks, never what is computed.

    Parameters
    ----------
    stderr : bool
        Whether to open standard error.

    Returns
    -------
    rich.console.Console

    Examples
    --------
    >>> open_screen().is_terminal
    False
    """
    from rich.console import Console

    console = Console(highlight=False, stderr=stderr)
    if not console.no_color:
        return console
    # Bold and dim are no colours, but whoever wants none wants no escapes.
    return Console(highlight=False, stderr=stderr, color_system=None)
