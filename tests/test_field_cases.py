"""Mistakes that people meet in the field, from the files to the last line of a command.

None of them may end in a green light: each gives the right numbers, or a refusal that leads out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str]]
    Rows = list[dict[str, Any]]

EXAMPLES = Path(__file__).parents[1] / "examples"
ENGINES = ["memory", "duckdb"]
LIMIT = ("--max-nfr", "0.02")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: object) -> tuple[int, str]:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    def write(*runs: Rows, ending: str = "jsonl") -> list[Path]:
        paths = []
        for number, rows in enumerate(runs, 1):
            paths.append(tmp_path / f"v{number}.{ending}")
            texts = [json.dumps(row, ensure_ascii=False) for row in rows]
            paths[-1].write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        return paths

    return write


def rows(answers: list[Any], references: list[Any]) -> Rows:
    pairs = zip(answers, references, strict=True)
    return [{"id": f"ζ{n}", "prediction": a, "reference": r} for n, (a, r) in enumerate(pairs)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_broken_items_of_the_example_left_out(
    command: Command, files: Callable[..., list[Path]], engine: str
) -> None:
    """The truth is 52 broken of 500; without them nothing seemed to break."""
    texts = [(EXAMPLES / f"v{n}.jsonl").read_text(encoding="utf-8") for n in (1, 2)]
    old, new = (list(map(json.loads, text.splitlines())) for text in texts)
    after = {row["id"]: row for row in new}
    kept = [
        after[row["id"]]
        for row in old
        if row["prediction"] != row["reference"]
        or after[row["id"]]["prediction"] == row["reference"]
    ]
    assert len(kept) == 500 - 52
    flags = ("--missing", "drop", *LIMIT, "--engine", engine)
    code, text = command("gate", *files(old, kept), *flags)
    assert (code, text.split(":")[0]) == (4, "INVALID")
    assert "coverage 448 of 500 items of old" in text.splitlines()[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("right", "said"), [(0, "only 0 of 1000"), (10, "only 10 of 1000")])
def test_nothing_or_little_could_break(
    command: Command, files: Callable[..., list[Path]], right: int, said: str, engine: str
) -> None:
    references = ["A"] * 1000
    old = rows(["The answer is A."] * (1000 - right) + ["A"] * right, references)
    new = rows(["The answer is Б."] * 1000, references)
    code, text = command("gate", *files(old, new), *LIMIT, "--engine", engine)
    assert (code, text.split(":")[0]) == (4, "INVALID")
    assert f"{said} items could break" in text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("metric", ["rouge1", "rougeL", "bleu", "ter", "token_f1"])
def test_texts_that_a_metric_does_not_read(
    command: Command, files: Callable[..., list[Path]], metric: str, engine: str
) -> None:
    """Every answer is replaced, and the metric saw no word of any of them."""
    sentences = [
        "Столица России это город Москва",
        "我今天去上海开会和朋友见面",
        "القاهرة عاصمة مصر اليوم",
    ]
    references = [f"{sentence} {'аб'[n % 2]}" for n, sentence in enumerate(sentences * 100)]
    old, new = rows(references, references), rows(["другой ответ 错误"] * 300, references)
    code, text = command("gate", *files(old, new), "--metric", metric, *LIMIT, "--engine", engine)
    assert code == 4
    assert "--metric chrf" in text
    # An option of a metric stands behind its name, as --metric takes it.
    assert not re.search(r"(?<![(])\b(tokenizer?|unread|normalized)=|positions", text)
    code, _ = command("gate", *files(old, new), "--metric", "chrf", "--threshold", "50", *LIMIT)
    assert code == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "flags",
    [(), ("--metric", "token_f1", "--threshold", "1"), ("--metric", "chrf", "--threshold", "1")],
)
def test_a_null_answer_is_not_the_empty_text(
    command: Command, files: Callable[..., list[Path]], flags: tuple[str, ...], engine: str
) -> None:
    references = ["a b"] * 250 + [""] * 50
    old = rows(["a b"] * 300, references)
    new = rows(["a b"] * 250 + [None] * 50, references)
    flags = (*flags, "--unanswered", "wrong", "--engine", engine)
    code, text = command("compare", *files(old, new), *flags)
    assert code == 0
    assert "0 items broke, 0 got fixed" in text


def test_the_thoughts_of_a_model_are_cut_before_any_metric(
    command: Command, files: Callable[..., list[Path]], tmp_path: Path
) -> None:
    keys = tmp_path / "keys.py"
    keys.write_text('def answer(text):\n    return text.rpartition("</think>")[2]\n')
    references = [f"the cat {n} sat" for n in range(4)]
    old = rows([f"<think>one two</think>{text}" for text in references], references)
    new = rows([f"<think>σκέψη</think>{text}" for text in references], references)
    flags = ("--metric", "rouge1", "--threshold", "0.9", "--key", f"{keys}:answer")
    code, text = command("compare", *files(old, new), *flags)
    assert code == 0
    assert "no clear change of accuracy (100.00% to 100.00%" in text


def test_a_key_reads_answers_inside_objects(
    command: Command, files: Callable[..., list[Path]], tmp_path: Path
) -> None:
    keys = tmp_path / "keys.py"
    keys.write_text("def inner(x):\n    return x['a']['b'] if isinstance(x, dict) else x\n")
    old, new = (
        rows([{"a": {"b": x}} for x in answers], ["да", "да"])
        for answers in (["да", "да"], ["да", "x"])
    )
    paths = files(old, new)
    code, text = command("compare", *paths, "--key", f"{keys}:inner")
    assert (code, "1 item broke" in text) == (0, True)
    _, text = command("compare", *paths)
    assert "turn it into text with a function and --key" in text
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    # No engine calls a function.
    _, text = command("compare", *paths, "--engine", "duckdb")
    assert "leave out --engine and turn it into text with a function and --key" in text


def test_null_scores_of_a_json_list(command: Command, tmp_path: Path) -> None:
    """alpaca_eval #340, #300: a judge gave no preference."""
    paths = []
    for version, scores in (("v1", [1.2, 1.6, 1.9, None]), ("v2", [1.2, 1.6, None, 1.0])):
        listed = [{"instruction": f"做 {n}", "preference": x} for n, x in enumerate(scores)]
        paths.append(tmp_path / f"{version}.json")
        paths[-1].write_text(json.dumps(listed, indent=2), encoding="utf-8")
    reading = ("--id-field", "instruction", "--score-field", "preference", "--threshold", "1.5")
    code, text = command("compare", *paths, *reading)
    assert code == 4
    assert "1 of 4 items without a score in old" in text
    assert "--unanswered wrong" in text
    code, text = command("compare", *paths, *reading, "--unanswered", "drop")
    assert "left out: 2 (unanswered)" in text
    flags = ("--unanswered", "wrong", "--score-range", "1", "2")
    code, text = command("compare", *paths, *reading, *flags)
    assert "1 item broke, 0 got fixed" in text


@pytest.mark.parametrize(("one", "other"), [(4, "4"), ("1.0", 1), (1.0, 1)])
def test_ids_that_are_written_in_two_ways(
    command: Command, files: Callable[..., list[Path]], one: object, other: object
) -> None:
    old, new = (
        [{"id": id_, "prediction": x, "reference": "A"}] for id_, x in ((one, "A"), (other, "B"))
    )
    first = {"id": "q", "prediction": "A", "reference": "A"}
    code, text = command("compare", *files([first, *old], [first, *new]))
    if one == 4:
        assert "1 item broke" in text
    else:
        assert code == 4
        assert "(id '1.0')" in text
        assert "(id '1')" in text


@pytest.mark.parametrize("engine", ENGINES)
def test_each_run_is_scored_by_its_own_references(
    command: Command, files: Callable[..., list[Path]], engine: str
) -> None:
    """The answers stayed the same; NEW's references did not."""
    old = rows(["a b", "вода льёт", "d e"], ["a b", "вода льёт", ["d e", "f"]])
    new = rows(["a b", "вода льёт", "d e"], ["a b", "огонь", ["g", "h k"]])
    flags = ("--metric", "chrf", "--threshold", "90", "--engine", engine, "--conflict")
    broken = {
        conflict: command("compare", *files(old, new), *flags, conflict)[1]
        for conflict in ("own", "first", "last")
    }
    assert "(100.00% to 33.33%" in broken["own"]
    assert "(100.00% to 100.00%" in broken["first"]
    assert "(33.33% to 33.33%" in broken["last"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("score_range", [(0.25, 1), (0, 0.5)])
def test_verdicts_that_contradict_a_range(
    command: Command,
    files: Callable[..., list[Path]],
    engine: str,
    score_range: tuple[float, float],
) -> None:
    paths = files(
        *([{"id": n, "s": x} for n, x in enumerate(scores)] for scores in ([1, 0], [0, 1]))
    )
    reading = ("--score-field", "s", "--engine", engine, "--score-range")
    code, text = command("compare", *paths, *reading, *score_range)
    assert code == 4
    assert f"from {score_range[0]} to {score_range[1]}, got" in text
    code, text = command("compare", *paths, *reading, 0, 1)
    assert "1 item broke, 1 got fixed" in text


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_of_new_never_replace_those_that_it_dropped(
    command: Command, files: Callable[..., list[Path]], engine: str
) -> None:
    old = [
        {**row, "topic": "x" if n == 2 else None}
        for n, row in enumerate(rows(["A"] * 3, ["A"] * 3))
    ]
    new = [{**row, "topic": "y"} for row in old[:2]]
    flags = ("--slice-field", "topic", "--missing", "drop", "--engine", engine)
    _, text = command("compare", *files(old, new), *flags)
    assert "slice (most lost first)" not in text


@pytest.mark.parametrize("engine", ENGINES)
def test_other_answers_of_the_same_scores_are_not_equal(
    command: Command, files: Callable[..., list[Path]], engine: str
) -> None:
    old, new = rows(["A", "да"], ["A", ["да", "нет"]]), rows(["A", "нет"], ["A", ["да", "нет"]])
    flags = ("--metric", "chrf", "--threshold", "50", "--engine", engine)
    assert "equal on every item" not in command("compare", *files(old, new), *flags)[1]
    assert "equal on every item" in command("compare", *files(old, old[::-1]), *flags)[1]
