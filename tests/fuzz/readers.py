"""Whatever the bytes of a log are, a reader returns a sound run or one line that says why not.

A small log of any shape is damaged: cut at every byte, bits turned, parts moved, other encodings
and compressions, odd values at any depth, lost and linked files. What can be read is also compared
and shown. Where rows are only cut off, lost or repeated, a gate may not come nearer to PASS.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow
from pyarrow import parquet

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.errors import MissingDependencyError, MuscleMetricsError
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.runs.files.plain_file import PLAIN_FORMATS
from muscle_metrics.runs.harnesses import HARNESSES
from tests.fuzz.cases import Case, Fault, as_bytes, as_text
from tests.fuzz.logs import LOGS, Files, Log
from tests.fuzz.odd_values import ODD_VALUES

if TYPE_CHECKING:
    from muscle_metrics.runs.record import Run

# An error names one file; a link or an encoding may add some words.
LONGEST_MESSAGE = 1500
# Characters that act without being seen. Others may be new in Unicode, or wide blanks.
ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MOST_CUTS = 150
CASES_OF_A_LOG = 30
COMMANDS = 0.1
FORMATS = {*PLAIN_FORMATS, *(harness.name for harness in HARNESSES)}
# Stands in a document for JSON that `json.dumps` cannot write.
MARK = "\u2603 raw"

RAW = [
    *ODD_VALUES.values(), "18446744073709551616", "9007199254740992", "-0", "0.1e-400", "01", "+1",
    "1.", "[" * 90 + "]" * 90, r'"\ud83d\ude00"', "'x'", "[" + "1," * 20_000 + "1]", "", "[1,]",
    "tru", "/* */ 1",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 0.5, 1e300, 2**53 + 1, "", " ", "0", "true", "nan", "1e999",
    "\u202ex", "\ufeff", "\u2028", "::error::x", "##[error]x", "\x1b[2J", "é", "e\u0301", "ß" * 500,
    [], {}, [None], [[]], [[], {}], {"": None}, {"a": [1, {"b": None}]}, ["a"] * 300,
    [1, "1", True], [float(n) for n in range(40)], {"value": 1}, {"text": ["x"]},
    [["acc"]], [["acc", 1]],
]  # fmt: skip
BYTES = [
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\r", b"\n", b"\r\n", b"\n\n",
    b"\xe2\x80\xa8", b"\xc2\x85", b"\x1a", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"'",
    b"\t", b" " * 5000, b"\n" * 5000, b"PK\x03\x04", b"\x1f\x8b", b"(\xb5/\xfd", b"PAR1",
    b"\\u0000",
]  # fmt: skip

Damage = Callable[[Log, Random], Iterator[tuple[Files, bool]]]


def draw(rng: Random) -> Iterator[Case]:
    """Yield damages of one kind to one log."""
    name = rng.choice(sorted(LOGS))
    damage = rng.choice(DAMAGES)
    for files, is_loss in damage(LOGS[name], rng):
        case: Case = {"log": name, "files": {file: _text(part) for file, part in files.items()}}
        if is_loss:
            case["is_loss"] = True
        if rng.random() < COMMANDS:
            case["is_commanded"] = True
        if rng.random() < 0.3 and (form := name.split(",")[0].split(" ")[0]) in FORMATS:
            case["format"] = form
        yield case


def check(case: Case, folder: Path) -> str:
    """Read the log, and compare, judge and show it as far as it can be read."""
    path = _write(case["files"], folder)
    if case.get("is_commanded"):
        for command in (["inspect"], ["compare", str(path)]):
            _check_command([*command, str(path)])
    try:
        run = _read(case, path)
    except MissingDependencyError:
        raise
    except MuscleMetricsError as error:
        _check_message(str(error), str(path))
        return "refused"
    _check_run(run)
    old = _old_run(case["log"], folder.parent)
    outcome = _judged(old, run, LOGS[case["log"]].max_nfr)
    if case.get("is_loss") and outcome == "PASS" and _is_decisive(case["log"], folder.parent):
        raise Fault("a damaged log passes", case["log"])
    _judged(run, run, "0.5")
    return f"read, {outcome}"


# What is checked


def _read(case: Case, path: Path) -> Run:
    fields = LOGS[case["log"]].fields
    return read_run(path, format=case.get("format", "auto"), **fields)


def _check_message(message: str, path: str) -> None:
    if _acts(message):
        raise Fault("a message holds control characters", ascii(message))
    if len(message) > LONGEST_MESSAGE:
        raise Fault("a message is longer than a screen", message)
    # A log that is whole but holds several models is no fault of a file.
    if path not in message and "--" not in message:
        raise Fault("a message names no file", message)


def _acts(text: str) -> bool:
    return any(unicodedata.category(char) in ACTING for char in text)


def _check_run(run: Run) -> None:
    for record in run:
        texts = [record.id, *filter(None, (record.task, record.slice, record.group, record.repeat))]
        if not all(isinstance(text, str) for text in texts):
            raise Fault("a label is no text", repr(record))
        for score in record.scores.values():
            if not isinstance(score, bool | int | float) or not math.isfinite(score):
                raise Fault("a score is no finite number", repr(record))
        if not isinstance(record.prediction, str | bool | int | float | None):
            raise Fault("a prediction is no answer", repr(record))


def _check_command(arguments: list[str]) -> None:
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = main(arguments)
    if code not in (0, 2, 4):
        raise Fault(f"{arguments[0]} exits with {code}", errors.getvalue())
    for line in (out.getvalue() + errors.getvalue()).splitlines():
        if _acts(line.replace("\t", " ")):
            raise Fault(f"{arguments[0]} prints control characters", ascii(line))


def _judged(old: Run, new: Run, max_nfr: str) -> str:
    """Outcome of a gate; items that cannot be compared are left out where that is refused."""
    for choices in ({}, {"missing": "drop", "unanswered": "drop", "conflict": "own"}):
        try:
            comparison = compare_runs(old, new, **choices)
            json.dumps(comparison.to_dict(), allow_nan=False)
            str(comparison)
            verdict = check_gate(comparison, Policy(max_nfr=max_nfr))
        except MuscleMetricsError as error:
            _check_message(f"-- {error}", "")
            continue
        verdict_json(verdict, comparison, examples=3)
        return str(verdict.outcome)
    return "not compared"


@cache
def _old_run(log: str, folder: Path) -> Run:
    return _read({"log": log}, _write(_texts(LOGS[log].old), folder / "old"))


@cache
def _is_decisive(log: str, folder: Path) -> bool:
    """Whether the new run, as it is, does not pass."""
    new = _read({"log": log}, _write(_texts(LOGS[log].new), folder / "whole"))
    return _judged(_old_run(log, folder), new, LOGS[log].max_nfr) != "PASS"


def _texts(files: Files) -> dict[str, str]:
    return {name: as_text(content) for name, content in files.items()}


def _text(content: bytes | Path) -> Any:
    return {"link": str(content)} if isinstance(content, Path) else as_text(content)


def _write(files: dict[str, Any], folder: Path) -> Path:
    """Write files into an empty folder; return it, or the only file in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            path.symlink_to(content["link"])
        else:
            path.write_bytes(as_bytes(content))
    return path if len(files) == 1 else folder


# Damages


def _choose(log: Log, rng: Random) -> tuple[str, bytes]:
    name = rng.choice(sorted(log.new))
    return name, log.new[name]


def cut(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Cut a file at every byte, or at as many as are affordable, plain or compressed."""
    name, content = _choose(log, rng)
    packed = rng.choice(PACKINGS)(content)
    step = -(-len(packed) // MOST_CUTS)
    for end in range(rng.randrange(step), len(packed), step):
        yield {**log.new, name: packed[:end]}, True


def turn_bits(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Turn some bits, plain or compressed."""
    name, content = _choose(log, rng)
    packed = rng.choice(PACKINGS)(content)
    for _ in range(CASES_OF_A_LOG):
        changed = bytearray(packed)
        for _ in range(rng.choice([1, 1, 2, 8, 50])):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        yield {**log.new, name: bytes(changed)}, False


def move_bytes(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Leave out, repeat or replace parts of a file."""
    name, content = _choose(log, rng)
    for _ in range(CASES_OF_A_LOG):
        start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
        end = min(end, start + rng.choice([0, 1, 10, 1000]))
        part = rng.choice([b"", content[start:end] * 2, rng.choice(BYTES), rng.randbytes(8)])
        yield {**log.new, name: content[:start] + part + content[end:]}, False


def encode(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Write a file in other encodings and compressions."""
    name, content = _choose(log, rng)
    for change in ENCODINGS:
        yield {**log.new, name: change(content)}, False


def lose_rows(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Drop, repeat or null rows and values."""
    yield from _changed(log, rng, ("drop", "repeat", "null"), is_loss=True)


def replace_values(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Write odd values at any depth."""
    kinds = ("value", "value", "raw", "rename", "swap")
    yield from _changed(log, rng, kinds, is_loss=False)


def change_files(log: Log, rng: Random) -> Iterator[tuple[Files, bool]]:
    """Lose, rename, empty, link or add files."""
    name, content = _choose(log, rng)
    rest = {other: part for other, part in log.new.items() if other != name}
    yield rest or {"notes.txt": b""}, True
    yield {**rest, name: b""}, True
    yield {**rest, f"{name}.bak": content}, True
    yield {**rest, f"a/b/{name}": content}, False
    yield {**rest, f"{rng.choice(['x', 'é', ' ', '[a]*', '~', '-'])}{name}": content}, False
    for target in (".", "..", name, "/dev/null", "nowhere", "/proc/self/mem"):
        yield {**rest, name: Path(target)}, False
    for other in sorted(LOGS):
        yield {**LOGS[other].new, **log.new}, False


DAMAGES: list[Damage] = [
    cut, turn_bits, move_bytes, encode, lose_rows, replace_values, replace_values, change_files,
]  # fmt: skip


def _zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


PACKINGS: list[Callable[[bytes], bytes]] = [bytes, bytes, gzip.compress, _zstd]
ENCODINGS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    _zstd,
    lambda content: gzip.compress(gzip.compress(content)),
    lambda content: _zstd(gzip.compress(content)),
    lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:]),
    lambda content: _zstd(content[:99]) + _zstd(content[99:]),
    lambda content: gzip.compress(content) + b"garbage",
    lambda content: _zstd(content) + b"garbage",
    lambda content: gzip.compress(content) + gzip.compress(content)[:20],
    lambda content: gzip.compress(content) + gzip.compress(b"\n" * 100_000_000, 1),
    lambda content: b"\xef\xbb\xbf" + content,
    lambda content: b"\xef\xbb\xbf\xef\xbb\xbf" + content,
    lambda content: content.replace(b"\n", b"\r\n"),
    lambda content: content.replace(b"\n", b"\r"),
    lambda content: content.replace(b"\n", b"\n\n") + b"\n\n",
    lambda content: content + b"\x00" * 512,
    lambda content: content + content,
    lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    lambda content: content.decode("utf-8", "replace").encode("utf-32-be"),
    lambda content: content.decode("utf-8", "replace").encode("cp1251", "replace"),
    lambda content: content.decode("utf-8", "replace").encode("latin-1", "replace"),
]


def _changed(
    log: Log, rng: Random, kinds: tuple[str, ...], *, is_loss: bool
) -> Iterator[tuple[Files, bool]]:
    name, content = _choose(log, rng)
    document = _parse(content)
    if document is None:
        return
    for _ in range(CASES_OF_A_LOG):
        changed, raw = json.loads(json.dumps(document)), rng.choice(RAW)
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            _change(changed, rng, rng.choice(kinds))
        written = _format(changed, content)
        if written is not None:
            written = written.replace(json.dumps(MARK).encode(), raw.encode())
            yield {**log.new, name: written}, is_loss


def _change(document: Any, rng: Random, kind: str) -> None:
    """Change one value somewhere in a document, in place."""
    places = list(_places(document))
    if not places:
        return
    # Few keys of a row are near the root, and many values deep inside.
    parent, key = rng.choice(places)
    if kind == "drop":
        del parent[key]
    elif kind == "null":
        parent[key] = None
    elif kind == "repeat":
        # Fields cannot stand twice; another value would be a verdict made up, and no loss.
        if isinstance(parent, list):
            parent.insert(rng.randrange(len(parent) + 1), parent[key])
    elif kind == "rename" and isinstance(parent, dict):
        parent[f"{key}'"] = parent.pop(key)
    elif kind == "swap":
        other, name = rng.choice(places)
        try:
            parent[key] = json.loads(json.dumps(other[name]))
        except (KeyError, IndexError):
            parent[key] = {}
    elif kind == "raw":
        parent[key] = MARK
    else:
        parent[key] = json.loads(json.dumps(rng.choice(VALUES)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    if isinstance(value, dict | list):
        for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(part)


def _parse(content: bytes) -> Any:
    """The document of a file: of JSON, JSON Lines or Parquet."""
    if content.startswith(b"PAR1"):
        return parquet.read_table(io.BytesIO(content)).to_pylist()
    try:
        return json.loads(content)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in content.splitlines()]
    except ValueError:
        return None


def _format(document: Any, like: bytes) -> bytes | None:
    """Write a document as its file was written; None where Parquet has no such table."""
    if like.startswith(b"PAR1"):
        content = io.BytesIO()
        try:
            parquet.write_table(pyarrow.Table.from_pylist(document), content)
        except Exception:
            return None
        return content.getvalue()
    if b"}\n{" in like:
        return b"".join(json.dumps(row).encode() + b"\n" for row in document)
    return json.dumps(document).encode()
