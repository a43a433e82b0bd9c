"""A process of its own for math-verify: some expressions never end, and no thread can stop them."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Final

from muscle_metrics.errors import require

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXTRA", "SECONDS", "Worker", "serve"]

EXTRA: Final = "math"
SECONDS: Final = 5
"""Processor time for one request, as math-verify's own limit."""

# For systems without a timer of processor time, and for a machine that stands still.
_SECONDS_BY_THE_CLOCK = 60
_MOST_MEMORY = 4 * 2**30
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from muscle_metrics.answers.reading.maths_worker import serve; serve()"
)


class Worker:
    """A process that parses and compares expressions, and is started anew when one has no end.

    It serves one thread at a time, and is started anew in a process that was forked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: _Started | None = None
        atexit.register(self.stop)

    def ask(self, *request: str) -> Any:
        """Answer of the process to one request; None where it found no end.

        Raises
        ------
        MissingDependencyError
            If math-verify is not installed.
        """
        with self._lock:
            started = self._running()
            timer = threading.Timer(_SECONDS_BY_THE_CLOCK, started.process.kill)
            timer.start()
            try:
                started.say(request)
                line = started.output.readline()
            except OSError:
                line = ""
            except BaseException:
                # The next request would get the answer to this one.
                self.stop()
                raise
            finally:
                timer.cancel()
            if not line:
                self.stop()
                return None
            return json.loads(line)

    def _running(self) -> _Started:
        started = self._started
        if started is None or not started.is_usable():
            require("math_verify", EXTRA)
            self.stop()
            started = self._started = _start()
        return started

    def stop(self) -> None:
        """End the process, if this one started it."""
        started, self._started = self._started, None
        if started is None or started.owner != os.getpid():
            return
        started.process.kill()
        started.process.wait()
        for pipe in (started.input, started.output):
            with contextlib.suppress(OSError):
                pipe.close()


@dataclass(frozen=True, slots=True)
class _Started:
    """A process, its pipes, and the process that started it."""

    process: subprocess.Popen[str]
    input: IO[str]
    output: IO[str]
    owner: int

    def is_usable(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def say(self, value: object) -> None:
        self.input.write(json.dumps(value) + "\n")
        self.input.flush()


def _start() -> _Started:
    process = subprocess.Popen(  # noqa: S603 (this Python, with a fixed program)
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    )
    if process.stdin is None or process.stdout is None:  # for type checkers: both are pipes
        raise AssertionError
    started = _Started(process, process.stdin, process.stdout, os.getpid())
    started.say(sys.path)
    return started


def serve(seconds: float = SECONDS) -> None:
    """Answer requests from standard input, a line of JSON for each, until it ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    # Its import is no part of the time of a request.
    require("math_verify", EXTRA)
    answers: dict[str, Callable[..., Any]] = {"parse": _parse_request, "verify": _verify_request}
    for line in sys.stdin:
        kind, *texts = json.loads(line)
        _set_timer(seconds)
        try:
            answer = answers[kind](*texts)
        except Exception:  # whatever an expression makes sympy raise
            answer = None
        _set_timer(0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _set_timer(seconds: float) -> None:
    # The signal ends the process, also inside a power that is one call of C.
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


@lru_cache(maxsize=2000)
def _parsed(text: str) -> list[Any]:
    # Its limits of time use SIGALRM; the timer of this process stands in for them.
    parsed: list[Any] = require("math_verify", EXTRA).parse(text, parsing_timeout=None)
    return parsed


def _parse_request(text: str) -> str | None:
    """Find a shorter spelling that parses to the same, else the text; None if it is unread."""
    parsed = _parsed(text)
    if not parsed:
        return None
    if not isinstance(parsed[0], str) and text.count("^") + text.count("!") > 1:
        # A tower of powers parses, and has no end when it is compared.
        _verify(parsed, [require("sympy", EXTRA).Integer(12345)])
    if isinstance(parsed[-1], str):
        short = rf"\boxed{{{parsed[-1].strip()}}}"
        again = _parsed(short)
        if len(short) < len(text) and _is_same_tree(again, parsed):
            return short
    return text


def _is_same_tree(again: list[Any], parsed: list[Any]) -> bool:
    show = require("sympy", EXTRA).srepr
    trees = (
        [one if isinstance(one, str) else show(one) for one in found] for found in (again, parsed)
    )
    return next(trees) == next(trees)


def _verify(gold: list[Any], answer: list[Any]) -> bool:
    return bool(require("math_verify", EXTRA).verify(gold, answer, timeout_seconds=None))


def _verify_request(gold: str, answer: str) -> bool:
    return _verify(_parsed(gold), _parsed(answer))
