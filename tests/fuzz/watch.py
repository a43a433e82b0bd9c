"""Run cases in processes of their own, which the system ends when a case hangs or needs too much.

A worker sets a timer of the system before each case, for its own processor time. The watch looks
after children and deadlocks. Both send signals, which end the process where it stands, also in
native code, and write down where that was.
"""

from __future__ import annotations

import faulthandler
import importlib
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.fuzz.cases import CORPUS, Case, Fault, fault_of, read_corpus, save_case, shrink
from tests.fuzz.fuzzers import FUZZERS
from tests.fuzz.hangs import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

__all__ = ["Job", "Tally", "watch"]

MOST_MEMORY = 1 << 30
# More address space than any case needs: a bomb ends in a MemoryError, not in swap.
MOST_ADDRESSES = 16 << 30
SECONDS_TO_SHRINK = 20.0
SECONDS_BETWEEN_REPORTS = 30.0
# Of `getrusage`: kilobytes, and bytes on macOS.
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024
CURRENT, BEAT, TRACE = "current", "beat", "trace"


@dataclass(frozen=True)
class Job:
    """Cases of one fuzzer: until the minutes or the number of cases are over.

    `longest` is the processor time that one case may take with all its processes, and `sleep` the
    time in which they may all wait, in seconds. A process ends after `most` cases: native heaps
    of packages below may grow, to more memory than a case may need.
    """

    name: str
    seed: int = 0
    minutes: float | None = None
    cases: int | None = None
    processes: int = 1
    longest: float = 5.0
    sleep: float = 60.0
    most: int = 10_000
    corpus: Path = CORPUS

    def case(self, place: str) -> Case:
        """Draw the case of a place again."""
        first, _, index = place.partition(" ")
        if not index:
            return read_corpus(self.name, self.corpus)[place]
        return next(islice(FUZZERS[self.name].draw(self._random(int(first))), int(index), None))

    def rounds(self, start: int) -> Iterator[tuple[str, Case]]:
        """Yield every case of a worker, after those of the corpus, with its place."""
        if not start:
            yield from read_corpus(self.name, self.corpus).items()
        for number in count(start, self.processes):
            for index, case in enumerate(FUZZERS[self.name].draw(self._random(number))):
                yield f"{number} {index}", case

    def _random(self, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{number}")


class Worker(NamedTuple):
    """A process, the round that it began with, its folder, and how long its cases take."""

    process: Any
    number: int
    folder: Path
    patience: Patience


@dataclass
class Tally:
    """What has been tried and found."""

    start: float = field(default_factory=time.monotonic)
    cases: int = 0
    slowest: float = 0.0
    peak: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    files: dict[str, Path] = field(default_factory=dict)

    def line(self, name: str) -> str:
        """One line of progress."""
        return (
            f"{name}: {self.cases} cases, {self.faults.total()} failures, slowest case "
            f"{self.slowest:.2f} s, peak memory {self.peak >> 20} MB, "
            f"{(time.monotonic() - self.start) / 60:.1f} minutes"
        )

    def add(self, name: str, place: str, fault: Fault, case: Case, corpus: Path) -> None:
        """Count a fault, and keep the first case of its kind."""
        self.faults[fault.kind] += 1
        if self.faults[fault.kind] > 1:
            return
        if place.endswith(".json"):
            self.files[fault.kind] = corpus / place
        else:
            self.files[fault.kind] = save_case(name, fault, case, corpus)
        print(f"{name}: {fault}\n  at {place}, saved as {self.files[fault.kind]}", flush=True)


def watch(job: Job) -> Tally:
    """Run the cases of a job, and print the progress."""
    tally, spawn = Tally(), multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        workers: dict[Connection, Worker] = {}

        def start(number: int) -> None:
            folder = Path(tempfile.mkdtemp(dir=scratch))
            ours, theirs = spawn.Pipe(duplex=False)
            process = spawn.Process(target=_work, args=(job, number, folder, theirs), daemon=True)
            process.start()
            theirs.close()
            patience = Patience(process.pid, job.longest, job.sleep)
            workers[ours] = Worker(process, number, folder, patience)

        for number in range(job.processes):
            start(number)
        report = time.monotonic() + SECONDS_BETWEEN_REPORTS
        try:
            while not _is_over(job, tally):
                for connection in wait(list(workers), timeout=0.2):
                    try:
                        _hear(job, tally, connection.recv())
                    except EOFError:
                        ended = workers.pop(connection)
                        ended.process.join()
                        start(_after(job, tally, ended))
                for worker in workers.values():
                    worker.patience.look(_read(worker.folder / BEAT))
                if time.monotonic() > report:
                    print(tally.line(job.name), flush=True)
                    report += SECONDS_BETWEEN_REPORTS
        except KeyboardInterrupt:
            print("stopped")
        for worker in workers.values():
            worker.process.kill()
            worker.process.join()
    return tally


def _is_over(job: Job, tally: Tally) -> bool:
    is_late = job.minutes is not None and time.monotonic() > tally.start + job.minutes * 60
    return is_late or (job.cases is not None and tally.cases >= job.cases)


def _hear(job: Job, tally: Tally, message: tuple[Any, ...]) -> None:
    kind, *rest = message
    if kind == "smaller":
        fault, case = rest
        save_case(job.name, fault, case, job.corpus)
        return
    place, outcome, seconds, memory, fault, case = rest
    tally.cases += 1
    tally.outcomes[outcome] += 1
    tally.slowest, tally.peak = max(tally.slowest, seconds), max(tally.peak, memory)
    if fault is not None:
        tally.add(job.name, place, fault, case, job.corpus)


def _after(job: Job, tally: Tally, ended: Worker) -> int:
    """Tell why a worker ended; return the round with which the next one starts."""
    place, code = _read(ended.folder / CURRENT), ended.process.exitcode
    if not place:
        raise RuntimeError(f"a worker ended with {code} before its first case")
    if code:
        trace = _read(ended.folder / TRACE)
        reasons = {
            -signal.SIGPROF: f"more than {job.longest:g} s of processor time",
            -signal.SIGALRM: f"more than {job.sleep:g} s of waiting",
        }
        kind = reasons.get(code, f"the process ended with {code}")
        fault = Fault(f"{kind}, {_innermost(trace)}", trace)
        tally.cases += 1
        tally.outcomes["fault"] += 1
        tally.add(job.name, place, fault, job.case(place), job.corpus)
    first = place.partition(" ")[0]
    return (int(first) if first.isdigit() else ended.number) + job.processes


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace").strip() if path.exists() else ""


def _innermost(trace: str) -> str:
    """Function of the package in which a process ended."""
    lines = [line for line in trace.splitlines() if "/muscle_metrics/" in line]
    if not lines:
        return "not in the package"
    return lines[0].rpartition("/muscle_metrics/")[2].replace('"', "")


def _work(job: Job, number: int, folder: Path, pipe: Connection) -> None:
    """Check case after case in a process of its own."""
    warnings.simplefilter("error")
    tempfile.tempdir = str(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    (folder / "case").mkdir()
    for module in FUZZERS[job.name].imports:
        importlib.import_module(module)
    known = set[str]()
    with (folder / TRACE).open("w") as trace, (folder / CURRENT).open("w") as current:
        for name in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(name, signal.SIG_DFL)
            # Written by the handler itself, and then the process ends as without a handler.
            faulthandler.register(name, trace, chain=True)
        for place, case in islice(job.rounds(number), job.most):
            current.seek(0)
            current.write(f"{place:<80}")
            current.flush()
            outcome, fault, seconds = _timed(job, case, folder)
            memory = _peak_memory()
            if fault is None and memory > MOST_MEMORY:
                fault = Fault("more than 1 GB of memory", f"{memory >> 20} MB")
            sent = case if fault is not None and fault.kind not in known else None
            pipe.send(("case", place, outcome, seconds, memory, fault, sent))
            if memory > MOST_MEMORY:
                return
            if sent is not None and fault is not None and not place.endswith(".json"):
                known.add(fault.kind)
                for smaller in shrink(case, _fails(job, fault, folder), seconds=SECONDS_TO_SHRINK):
                    pipe.send(("smaller", fault, smaller))


def _peak_memory() -> int:
    """Largest memory of this process in bytes, without what its parent held before."""
    status = Path("/proc/self/status")
    if status.is_file():
        # The system's own count begins with the peak of the process that started this one.
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text("ascii", "replace"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNIT


def _timed(job: Job, case: Case, folder: Path) -> tuple[str, Fault | None, float]:
    """Outcome of a case, its fault, and the processor time that it took."""
    beat = folder / BEAT
    beat.write_text(str(time.monotonic_ns()), "ascii")
    signal.setitimer(signal.ITIMER_PROF, job.longest)
    start = sum(os.times()[:4])
    outcome, fault = fault_of(FUZZERS[job.name], case, folder / "case")
    seconds = sum(os.times()[:4]) - start
    signal.setitimer(signal.ITIMER_PROF, 0)
    # Drawing and making smaller have no limit.
    beat.write_text("", "ascii")
    return outcome, fault, seconds


def _fails(job: Job, fault: Fault, folder: Path) -> Any:
    def fails(case: Case) -> bool:
        found = _timed(job, case, folder)[1]
        return found is not None and found.kind == fault.kind

    return fails
