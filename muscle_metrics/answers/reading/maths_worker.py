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
from functools import lru_cache
from typing import Any, Final

from muscle_metrics.errors import require

__all__ = ["EXTRA", "SECONDS", "Worker", "serve"]

EXTRA: Final = "math"
SECONDS: Final = 5
"""Processor time for one request, as math-verify's own limit."""

# For systems without a timer of processor time, and for a machine that stands still.
_SECONDS_BY_THE_CLOCK = 60
_MOST_MEMORY = 4 * 2**30
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from muscle_metrics.answers.reading.maths_worker import serve; serve()"
)


class Worker:
    """A process that parses and compares expressions, and is started anew when one has no end.

    It serves one thread at a time, and is started anew in a process that was forked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        atexit.register(self.stop)

    def ask(self, *request: str) -> Any:
        """Answer of the process to one request; None where it found no end.

        Raises
        ------
        MissingDependencyError
            If math-verify is not installed.
        """
        with self._lock:
            process = self._running()
            assert process.stdin is not None and process.stdout is not None
            timer = threading.Timer(_SECONDS_BY_THE_CLOCK, process.kill)
            timer.start()
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = ""
            finally:
                timer.cancel()
            if not line:
                self.stop()
                return None
            return json.loads(line)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            require("math_verify", EXTRA)
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
            )
            self._owner = os.getpid()
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(sys.path) + "\n")
        return self._process

    def stop(self) -> None:
        """End the process, if this one started it."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def serve() -> None:
    """Answer requests from standard input, a line of JSON for each, until it ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    answers = {"parse": _parse_request, "verify": _verify_request}
    for line in sys.stdin:
        kind, *texts = json.loads(line)
        _set_timer(SECONDS)
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
    """A shorter spelling that parses to the same, else the text itself; None if it is unread."""
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
    return len(again) == len(parsed) and all(
        type(one) is type(other) and (one == other if isinstance(one, str) else show(one) == show(other))
        for one, other in zip(again, parsed, strict=True)
    )


def _verify(gold: list[Any], answer: list[Any]) -> bool:
    return bool(require("math_verify", EXTRA).verify(gold, answer, timeout_seconds=None))


def _verify_request(gold: str, answer: str) -> bool:
    return _verify(_parsed(gold), _parsed(answer))
