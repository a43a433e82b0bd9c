"""What a fuzzer is, what counts as a fault, and how a case is written down and made smaller.

A case is a JSON document, so that a failing one is a small text file that replays for ever.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import traceback
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

__all__ = [
    "CORPUS", "Case", "Fault", "Fuzzer", "as_bytes", "as_text", "fault_of", "read_corpus",
    "save_case", "shrink",
]  # fmt: skip

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]

Case = dict[str, Any]


class Fault(Exception):  # noqa: N818
    """What a case may not lead to.

    `kind` names the fault and its place without the values of the case: one of each is kept.
    """

    def __init__(self, kind: str, details: str = "") -> None:
        super().__init__(kind, details)
        self.kind, self.details = kind, details

    def __str__(self) -> str:
        return f"{self.kind}: {self.details}" if self.details else self.kind


class Fuzzer(NamedTuple):
    """Draws cases and checks them.

    `draw` yields cases that share what is costly to draw; they depend on the random numbers alone.
    `check` returns the outcome in a few words for the summary, or raises a `Fault`; any exception
    that leaves it is a fault too. The folder is empty or holds files of earlier cases.
    `imports` are modules that the package loads when it needs them, which is no work of a case.
    """

    draw: Callable[[Random], Iterator[Case]]
    check: Callable[[Case, Path], str]
    imports: tuple[str, ...]


def as_text(content: bytes) -> str:
    """Bytes as text that JSON can hold; bytes that are no UTF-8 are lone surrogates."""
    return content.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The bytes that `as_text` was given."""
    return text.encode("utf-8", "surrogateescape")


def fault_of(fuzzer: Fuzzer, case: Case, folder: Path) -> tuple[str, Fault | None]:
    """Check a case; return its outcome and the fault that it led to, if any."""
    try:
        return fuzzer.check(case, folder), None
    except KeyboardInterrupt:
        raise
    except Fault as fault:
        return "fault", fault
    except BaseException as error:
        # Also SystemExit, and panics of native code, which are no Exception.
        details = "".join(traceback.format_exception(error))
        return "fault", Fault(f"{type(error).__name__} in {_place_of(error)}", details)


def _place_of(error: BaseException) -> str:
    """File and function that an exception came from: the innermost one of the package or tests."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(ROOT) and ".venv" not in frame.filename
    ]  # fmt: skip
    frame = frames[-1]
    return f"{Path(frame.filename).relative_to(ROOT).as_posix()} {frame.name}"


def read_corpus(name: str, folder: Path = CORPUS) -> dict[str, Case]:
    """Past failures of a fuzzer, by the name of their file."""
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))["case"]
        for path in sorted(folder.glob(f"{name}-*.json"))
    }


def save_case(name: str, fault: Fault, case: Case, folder: Path = CORPUS) -> Path:
    """Write a failing case, unless a smaller one with the same fault is there."""
    words = re.sub(r"\W+", "-", fault.kind.lower()).strip("-")[:60]
    digest = hashlib.sha256(fault.kind.encode()).hexdigest()[:6]
    path = folder / f"{name}-{words}-{digest}.json"
    folder.mkdir(exist_ok=True)
    text = json.dumps({"fault": fault.kind, "case": case}, indent=1) + "\n"
    if not path.exists() or len(text) < path.stat().st_size:
        path.write_text(text, encoding="utf-8")
    return path


def shrink(case: Case, fails: Callable[[Case], bool], *, seconds: float) -> Iterator[Case]:
    """Yield ever smaller cases that still fail, until none does or the time is over."""
    end = time.monotonic() + seconds
    while True:
        # Rows first, then parts of their texts.
        for candidate in chain(_smaller(case, (dict, list)), _smaller(case, (str,))):
            if time.monotonic() > end:
                return
            if fails(candidate):
                case = candidate
                yield case
                break
        else:
            return


def _smaller(value: Any, kinds: tuple[type, ...]) -> Iterator[Any]:
    """Yield a JSON document with a part of one object, list or text left out, large parts first."""
    if isinstance(value, kinds):
        parts = list(value)
        size = len(parts)
        while size := (size // 2 if size > 1 else 0):
            for start in range(0, len(parts), size):
                yield _without(value, parts[start : start + size], start)
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            for smaller in _smaller(part, kinds):
                changed = value.copy()
                changed[key] = smaller
                yield changed


def _without(value: Any, parts: list[Any], start: int) -> Any:
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if name not in parts}
    return value[:start] + value[start + len(parts) :]
