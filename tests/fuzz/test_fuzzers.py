"""The fuzzers find what they look for, and what they once found stays mended."""

from __future__ import annotations

import json
import random
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyarrow", reason="readers and engines need it")
pytest.importorskip("duckdb", reason="the engine is behind an extra")

from tests.fuzz import cases, engines, readers, sinks, watch
from tests.fuzz.cases import Fault, fault_of, read_corpus, save_case, shrink
from tests.fuzz.fuzzers import FUZZERS, USUAL

if TYPE_CHECKING:
    from pathlib import Path

# Cases of each fuzzer that take less than a second.
MOST = {"readers": 6, "engines": 6, "damages": 6, "sinks": 1}
PAST = [(name, file) for name in FUZZERS for file in read_corpus(name)]


@pytest.mark.parametrize(("name", "file"), PAST)
def test_a_past_failure_stays_mended(name: str, file: str, tmp_path: Path) -> None:
    outcome, fault = fault_of(FUZZERS[name], read_corpus(name)[file], tmp_path / "case")
    assert fault is None, fault
    assert outcome


@pytest.mark.parametrize("name", USUAL)
def test_some_cases_of_each_fuzzer(name: str, tmp_path: Path) -> None:
    rounds = (FUZZERS[name].draw(random.Random(f"test/{number}")) for number in range(3))
    for case in islice((case for drawn in rounds for case in islice(drawn, 2)), MOST[name]):
        # A case is what is written down, and no more.
        again = json.loads(json.dumps(case))
        assert fault_of(FUZZERS[name], again, tmp_path / "case")[1] is None


def test_a_row_that_python_cannot_read_is_not_spoiled_again() -> None:
    deep = "[" * 100_000
    lines = [deep]
    engines._spoil(random.Random(1), lines, "jsonl")
    assert lines == [deep]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("a.jsonl: got 'x\u202e'", "a message holds control characters"),
        ("a.jsonl: got 'x\x85'", "a message holds control characters"),
        # A wide blank, and a letter that is newer than the Unicode of this Python may be.
        ("a.jsonl: got '\u3000\ua63e'", None),
        ("got 'x'", "a message names no file"),
    ],
)
def test_the_message_of_a_reader(message: str, kind: str | None) -> None:
    found = None
    try:
        readers._check_message(message, "a.jsonl")
    except Fault as fault:
        found = fault.kind
    assert found == kind


def test_bytes_are_written_as_text() -> None:
    content = bytes(range(256)) + "да".encode()
    text = cases.as_text(content)
    assert cases.as_bytes(json.loads(json.dumps(text))) == content


def test_the_sinks_that_are_checked() -> None:
    names = {check.__module__.rpartition(".")[2] for check in sinks.CHECKS}
    assert names == {"test_sinks", "test_csv", "test_page"}
    assert len(sinks.CHECKS) >= 11


# Faults that are put there to be found


def test_a_damage_that_helps_is_found(tmp_path: Path) -> None:
    """A policy that ignores losses is a gate that counts only what both runs hold."""
    old = [{"id": f"в{n}", "prediction": "да", "reference": "да"} for n in range(200)]
    new = [{**row, "prediction": "нет"} if n % 9 == 5 else row for n, row in enumerate(old)]
    pair = {"engine": "memory", "old": old, "new": new, "options": {"missing": "drop"}}
    kept = [row for row in new if row["prediction"] == "да"]
    for losses, kind in (("ignore", "FAIL becomes PASS"), ("count", None)):
        policy = {"max_nfr": "0.02", "missing": losses}
        case = {"pair": {**pair, "policy": policy}, "damages": ["drop"], "damaged": kept}
        fault = fault_of(FUZZERS["damages"], case, tmp_path)[1]
        assert (fault and fault.kind) == kind


def test_a_foreign_exception_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("from a row")

    monkeypatch.setattr(readers, "read_run", broken)
    case = {"log": "jsonl", "files": {"v1.jsonl": "{}"}}
    fault = fault_of(FUZZERS["readers"], case, tmp_path / "case")[1]
    assert fault is not None
    assert fault.kind == "TypeError in tests/fuzz/test_fuzzers.py broken"


def test_the_smallest_case_is_kept(tmp_path: Path) -> None:
    case = {"rows": [{"id": n, "text": "x" * 50 + "й" + "y" * 50} for n in range(40)], "more": 1}

    def fails(smaller: dict[str, Any]) -> bool:
        return any("й" in row.get("text", "") for row in smaller.get("rows", []))

    *_, last = shrink(case, fails, seconds=20)
    assert last == {"rows": [{"text": "й"}]}
    fault = Fault("an Ünequal answer, here")
    path = save_case("x", fault, case, tmp_path)
    assert save_case("x", fault, last, tmp_path) == path
    assert save_case("x", fault, case, tmp_path) == path
    assert read_corpus("x", tmp_path) == {path.name: last}


# What ends a process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"numbers": 10**12}, "more than 3 s of processor time, not in the package"),
        ({"bytes": 1 << 30}, "more than 1 GB of memory"),
        ({"signal": 11}, "the process ended with -11, not in the package"),
        ({"child": "sum(range(10**12))"}, "more than 3 s of processor time, not in the package"),
        (
            {"child": "from signal import *; pause()"},
            "more than 2 s of waiting, not in the package",
        ),
    ],
)
def test_a_process_that_ends_is_a_fault(case: Any, expected: str, tmp_path: Path) -> None:
    (tmp_path / "planted-1.json").write_text(json.dumps({"case": case}), encoding="utf-8")
    tally = watch.watch(watch.Job("planted", cases=4, longest=3, sleep=2, corpus=tmp_path))
    assert dict(tally.faults) == {expected: 1}
    assert tally.files == {expected: tmp_path / "planted-1.json"}
    assert tally.cases >= 4


@pytest.mark.slow
def test_a_process_ends_before_its_heap_is_large(tmp_path: Path) -> None:
    tally = watch.watch(watch.Job("planted", cases=4, most=2, corpus=tmp_path))
    assert (tally.faults.total(), tally.outcomes) == (0, {"0 MB": tally.cases})
    assert tally.cases >= 4
