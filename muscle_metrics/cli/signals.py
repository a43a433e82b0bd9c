"""Signals that end the command: at once, with nothing left behind, and with 128 + their number."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import NoReturn

from muscle_metrics.runs.files.undoing import undo_all

__all__ = ["end_at_signals"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def end_at_signals() -> None:
    """Let INT, TERM and HUP end this process with 128 + their number, whatever it is doing.

    Python runs its own handlers between two instructions of the main thread. A query of a database
    is one instruction, and may take minutes, so another thread waits for signals as well. Nothing
    is unwound: `undo_all` removes what would be left. A signal that is ignored, as under nohup,
    stays ignored.
    """
    chosen = [
        number
        for name in NAMES
        if (number := getattr(signal, name, None)) is not None
        and signal.getsignal(number) != signal.SIG_IGN
    ]
    # Windows has sockets in place of pipes here; the handlers suffice there.
    if os.name == "posix" and chosen:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=_wait, args=(reading, chosen), daemon=True).start()
    for number in chosen:
        signal.signal(number, lambda number, _: _end(number))


_ending = threading.Lock()


def _wait(reading: int, chosen: list[int]) -> None:
    while True:
        number = os.read(reading, 1)[0]
        if number in chosen:
            _end(number)


def _end(number: int) -> None:
    # A second signal, or the other thread: the first one is at it.
    if _ending.acquire(blocking=False):
        _leave(128 + number)


def _leave(code: int) -> NoReturn:
    try:
        with suppress(BaseException):
            # Threads of a library still run, and would report what is taken from them.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with suppress(BaseException):
            undo_all()
    finally:
        os._exit(code)
