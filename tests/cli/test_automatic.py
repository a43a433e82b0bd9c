"""Without --engine large files go to DuckDB, and no byte of any output shows it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import automatic, engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Rows = list[dict[str, Any]]

pytest.importorskip("duckdb", reason="the engine is behind an extra")

NAMES = ["q2", "q10", "q1", "вопрос 7", "質問", "a\x1fb", "\ud800", "x\U0010fffee"]


def rows_of(seed: int, answers: Sequence[Any], **more: Callable[[int], Any]) -> Rows:
    """Rows in an order of their own; the last ones have the odd names."""
    generator = random.Random(seed)
    names = [f"n{n}" for n in range(40)] + NAMES
    rows = [
        {
            "id": name,
            "prediction": generator.choice(answers),
            "reference": answers[position % 2 % len(answers)],
            "topic": ["a", "b", None, "тема"][position % 4],
            "passage": f"p{position % 9}",
            **{field: make(position + seed) for field, make in more.items()},
        }
        for position, name in enumerate(names)
    ]
    generator.shuffle(rows)
    return rows


def both(answers: Sequence[Any], **more: Callable[[int], Any]) -> tuple[Rows, Rows]:
    return rows_of(1, answers, **more), rows_of(2, answers, **more)


TEXTS = both(["да", "нет", "x y", ""])
LISTS = tuple(
    [{**row, "reference": [row["reference"], "и"]} for row in run] for run in both(["да", "и", "B"])
)
LOST = TEXTS[0], [{**row, "prediction": None if n % 9 == 3 else row["prediction"]}
                  for n, row in enumerate(TEXTS[1][:-3])]  # fmt: skip
VERDICTS = both(["A", "B"], ok=lambda n: n % 5 > 1)
REJUDGED = TEXTS[0], [{**row, "reference": "x y"} if n % 7 == 1 else row
                      for n, row in enumerate(TEXTS[1])]  # fmt: skip
READ = both(["The answer is 7", "7.0", "**12**", "seven, I think", "(7)"])
READ = tuple([{**row, "reference": "7" if n % 3 else ["7", "12"]} for n, row in enumerate(
    sorted(run, key=lambda row: row["id"]))][::-1] for run in READ)  # fmt: skip
# By name: runs, options, and whether DuckDB reports them as memory does.
CASES: dict[str, tuple[tuple[Rows, Rows], list[str], bool]] = {
    "texts": (TEXTS, [], True),
    "slices": (TEXTS, ["--slice-field", "topic"], True),
    "groups": (TEXTS, ["--group-field", "passage", "--slice-field", "topic"], True),
    "lists of references": (LISTS, [], True),
    "lost items": (LOST, ["--missing", "drop", "--unanswered", "drop"], True),
    "lost answers are wrong": (LOST, ["--missing", "drop", "--unanswered", "wrong"], True),
    "references of each": (REJUDGED, ["--conflict", "own"], True),
    "references of the first": (REJUDGED, ["--conflict", "first"], True),
    "truth values": (both([True, False]), [], True),
    "verdicts": (VERDICTS, ["--score-field", "ok"], True),
    "verdicts alone": (
        tuple([{"id": row["id"], "ok": row["ok"]} for row in run] for run in VERDICTS),
        ["--score-field", "ok"], False,
    ),
    "scores of 0 and 1 alone": (
        tuple([{"id": row["id"], "ok": int(row["ok"])} for row in run] for run in VERDICTS),
        ["--score-field", "ok"], False,
    ),
    "the same run": ((TEXTS[0], TEXTS[0][::-1]), [], True),
    "numbers": (both([1, 2.0, 2.5]), [], False),
    "graded scores": (both(["A"], ok=lambda n: n % 5 / 4), ["--score-field", "ok"], False),
    "a threshold": (
        both(["A"], ok=lambda n: n % 5 / 4), ["--score-field", "ok", "--threshold", "0.5"], False,
    ),
    "scores of texts": (TEXTS, ["--metric", "rouge1"], False),
    "a key": (TEXTS, ["--key", "builtins:str.upper"], False),
    "repeats": (both(["A", "B"], k=lambda n: n), ["--repeat-field", "k"], False),
    "right on nothing": (([{**row, "prediction": "B!"} for row in VERDICTS[0]], VERDICTS[1]), [],
                         False),
    "readers": (READ, ["--answer", "last-number", "--slice-field", "topic"], True),
    "readers of lost answers": (
        (READ[0], [{**row, "prediction": None} if n % 9 == 3 else row
                   for n, row in enumerate(READ[1][:-3])]),
        ["--answer", "number", "--missing", "drop", "--unanswered", "wrong"], True),
    "readers of everything": (TEXTS, ["--answer", "strip, casefold"], True),
    "references that readers cannot read": (TEXTS, ["--answer", "number"], True),
    # The prompts of listed items are in memory alone.
    "prompts": (TEXTS, ["--prompt-field", "reference"], False),
    "several fields as id": (TEXTS, ["--id-field", "id,passage"], True),
    # Errors
    "items that one run lacks": (LOST, [], True),
    "other references": (REJUDGED, [], True),
    "a field that is not there": (TEXTS, ["--slice-field", "topc"], False),
}  # fmt: skip


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines that compared runs to the end, by the name of the option."""
    used: list[str] = []
    real = engine.compare_on_engine

    def spy(options: Any, *arguments: Any, **more: Any) -> Any:
        try:
            result = real(options, *arguments, **more)
        except (automatic.UsageError, automatic.FileError):
            raise
        except Exception:
            used.append(options.engine)
            raise
        used.append(options.engine)
        return result

    for module in ("compare", "gate"):
        monkeypatch.setattr(f"muscle_metrics.cli.{module}.compare_on_engine", spy)
    monkeypatch.setattr(automatic, "LARGE", 0)
    return used


def write_both(folder: Path, runs: tuple[Rows, Rows]) -> list[Path]:
    paths = [folder / "v1.jsonl", folder / "v2.jsonl"]
    for path, rows in zip(paths, runs, strict=True):
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return paths


def outputs(run: Any, folder: Path, arguments: list[Any], formats: Sequence[str]) -> list[Any]:
    files = [folder / f"out.{ending}" for ending in formats]
    flags = [part for file in files for part in (f"--{file.suffix[1:]}", file)]
    done = run(*arguments, *flags)
    texts = [file.read_text(encoding="utf-8") if file.exists() else None for file in files]
    for file in files:
        file.unlink(missing_ok=True)
    errors = [line for line in done.err.splitlines() if "note: 0 MB of rows" not in line]
    return [done.code, done.out, errors, *texts]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("command", ["compare", "gate"])
def test_no_byte_differs(
    run: Any, tmp_path: Path, engines: list[str], name: str, command: str
) -> None:
    runs, options, is_alike = CASES[name]
    formats = ["json"] if command == "compare" else ["json", "junit", "markdown"]
    limits = [] if command == "compare" else ["--max-nfr", "0.2", "--max-nfr-mc", "0.2"]
    if "score-field" in "".join(options):
        limits = limits[:2]
    arguments = [command, *write_both(tmp_path, runs), *options, *limits, "--flips", "3"]
    chosen = outputs(run, tmp_path, arguments, formats)
    assert engines == ["auto"] * is_alike
    assert chosen == outputs(run, tmp_path, [*arguments, "--engine", "memory"], formats)


@pytest.mark.parametrize("command", [["compare"], ["gate", "--max-nfr", "0.2"]])
def test_without_a_list_of_flips(
    run: Any, tmp_path: Path, engines: list[str], command: list[str]
) -> None:
    arguments = [*command, *write_both(tmp_path, TEXTS), "--slice-field", "topic"]
    chosen = run(*arguments)
    assert engines == ["auto"]
    assert chosen == run(*arguments, "--engine", "memory")


def test_what_a_policy_asks_of_items_goes_on_in_memory(
    run: Any, tmp_path: Path, engines: list[str]
) -> None:
    paths = write_both(tmp_path, TEXTS)
    pinned = tmp_path / "pinned.txt"
    pinned.write_text("q2\n", encoding="utf-8")
    arguments = ["gate", *paths, "--max-nfr", "0.2", "--pinned", pinned]
    assert run(*arguments).out == run(*arguments, "--engine", "memory").out
    assert engines == ["auto"]


def test_shards_of_a_pattern(run: Any, tmp_path: Path, engines: list[str]) -> None:
    old, new = write_both(tmp_path, TEXTS)
    folder = tmp_path / "new"
    folder.mkdir()
    lines = new.read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(2):
        (folder / f"{number}.jsonl").write_text("".join(lines[number::2]), encoding="utf-8")
    arguments = ["compare", old, folder / "*.jsonl"]
    chosen = run(*arguments)
    assert engines == ["auto"]
    assert chosen == run(*arguments, "--engine", "memory")


def test_small_files_stay_in_memory(run: Any, tmp_path: Path, engines: list[str]) -> None:
    automatic.LARGE = 1 << 20  # the fixture restores it
    assert run("compare", *write_both(tmp_path, TEXTS)).err == ""
    assert engines == []


def test_without_duckdb_one_line_says_what_it_saves(
    run: Any, tmp_path: Path, engines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "find_spec", lambda name: None)
    done = run("compare", *write_both(tmp_path, TEXTS))
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "GB" in done.err
    assert "pip install 'muscle-metrics[scale]'" in done.err
    assert engines == []
