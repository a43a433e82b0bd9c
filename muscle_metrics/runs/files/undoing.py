"""What a process must undo before it ends, also where it ends without unwinding its calls."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["undo_all", "undone"]

_actions: list[Callable[[], None]] = []


@contextmanager
def undone(action: Callable[[], None]) -> Iterator[None]:
    """Run an action after the body, or as soon as `undo_all` is called in any thread.

    Parameters
    ----------
    action : callable
        It may run twice, and must not wait for a lock that the body may hold.

    Examples
    --------
    >>> with undone(lambda: print("closed")):
    ...     print("open")
    open
    closed
    """
    _actions.append(action)
    try:
        yield
    finally:
        try:
            action()
        finally:
            _actions.remove(action)


def undo_all() -> None:
    """Run the actions of all bodies that are under way, the innermost first.

    Examples
    --------
    >>> with undone(lambda: print("closed")):
    ...     undo_all()
    closed
    closed
    """
    for action in reversed(_actions.copy()):
        # An action that fails must not keep the others from running.
        with suppress(Exception):
            action()
