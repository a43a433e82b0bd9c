"""Tell from outside whether a case hangs: a loop takes processor time, a deadlock sleeps.

Wall time tells neither: on a busy machine a process can wait minutes for its turn. Linux alone
tells what a process and its children do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Patience"]

SECONDS_BETWEEN_LOOKS = 1.0
PROC = Path("/proc")


@dataclass
class Patience:
    """What one process has taken for its present case, with the processes that it started.

    `longest` limits the processor time, `sleep` the time in which all of them sleep, in seconds. A
    look counts one second of sleep, so a watcher that is itself kept waiting counts too little.
    """

    pid: int
    longest: float
    sleep: float
    case: str = ""
    before: float = 0.0
    slept: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def look(self, case: str) -> None:
        """End the processes if the case hangs; an empty text is no case."""
        now = time.monotonic()
        if now < self.last + SECONDS_BETWEEN_LOOKS:
            return
        self.last = now
        family = _family(self.pid)
        seconds = _seconds(family)
        if not case or case != self.case:
            self.case, self.before, self.slept = case, seconds, 0.0
            return
        self.slept += SECONDS_BETWEEN_LOOKS * _sleeps(family)
        if seconds - self.before > self.longest:
            self._end(signal.SIGPROF, family)
        elif self.slept > self.sleep:
            self._end(signal.SIGALRM, family)

    def _end(self, reason: signal.Signals, family: dict[int, list[str]]) -> None:
        """Let the process write down where it stands; its children would go on without it."""
        os.kill(self.pid, reason)
        for child in set(family) - {self.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def _family(pid: int) -> dict[int, list[str]]:
    """Fields of a process and of all that it started, by their number."""
    rest = {int(path.name): _fields(path / "stat") for path in PROC.glob("[0-9]*")}
    found, family = {pid}, dict[int, list[str]]()
    while found:
        family |= {number: rest.pop(number, []) for number in found}
        found = {number for number, stat in rest.items() if stat and int(stat[1]) in family}
    return {number: stat for number, stat in family.items() if stat}


def _seconds(family: dict[int, list[str]]) -> float:
    """Processor time of processes and of their children that have ended."""
    ticks = sum(int(value) for stat in family.values() for value in stat[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _sleeps(family: dict[int, list[str]]) -> bool:
    """Whether no thread runs, waits for a processor (R) or for a disk (D)."""
    threads = (path for number in family for path in (PROC / str(number) / "task").glob("*/stat"))
    states = {stat[0] for path in threads if (stat := _fields(path))}
    return bool(states) and not states & {"R", "D"}


def _fields(path: Path) -> list[str]:
    """Fields of a process or thread after its name, which may hold blanks and brackets."""
    try:
        return path.read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return []
