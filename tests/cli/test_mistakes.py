"""The most likely mistakes, each made on the command line, and what is said about it."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = [
    {
        "id": f"q{i}",
        "topic": "abc"[i % 3],
        "answer": "yes",
        "reference": "no" if i % 9 == 4 else "yes",
    }
    for i in range(90)
]
OLD = [{**row, "prediction": row["answer"]} for row in ITEMS]
NEW = [{**row, "prediction": row["reference"]} for row in OLD]
COMMANDS = [["compare"], ["gate", "--max-nfr", "0.1"]]

every_command = pytest.mark.parametrize("command", COMMANDS, ids=["compare", "gate"])


def said(done: Any) -> str:
    """The one line about a mistake; a gate says it in its verdict, which is INVALID."""
    if done.code == 2 or done.out == "":
        assert done.err.count("\n") == 1
        return done.err
    assert done.code == 4
    assert done.first.startswith("INVALID")
    return done.out


def without(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


# 1. The wrong order of files.


@every_command
@pytest.mark.parametrize(
    ("first", "second", "doubted"),
    [
        ("v1.jsonl", "v2.jsonl", False),
        ("v2.jsonl", "v1.jsonl", True),
        ("v10.jsonl", "v9.jsonl", True),
        ("v9.jsonl", "v10.jsonl", False),
        ("2026-03-01.jsonl", "2026-02-27.jsonl", True),
        ("old.jsonl", "new.jsonl", False),
        ("new.jsonl", "old.jsonl", True),
        ("candidate_7b.jsonl", "baseline_7b.jsonl", True),
        ("renewal.jsonl", "golden.jsonl", False),
        ("mistral-2.jsonl", "llama-1.jsonl", False),
        ("new.jsonl", "v1.jsonl", False),
        # Sizes of models are no versions.
        ("llama-3-70b.jsonl", "llama-3-8b.jsonl", False),
        ("qwen2.5-7B-instruct.jsonl", "qwen2.5-1.5B-instruct.jsonl", False),
        ("gemma7b.jsonl", "gemma2b.jsonl", False),
        ("mixtral-8x22b.jsonl", "mixtral-8x7b.jsonl", False),
        ("pythia-410m.jsonl", "pythia-70m.jsonl", False),
        ("llama_fp16.jsonl", "llama_int8.jsonl", False),
        ("mmlu_5-shot.jsonl", "mmlu_0-shot.jsonl", False),
        ("模型-70b.jsonl", "模型-8b.jsonl", False),
        ("llama-3-8b.jsonl", "llama-2-70b.jsonl", True),
        ("model-v2b.jsonl", "model-v1b.jsonl", True),
        ("run-10-blue.jsonl", "run-9-blue.jsonl", True),
    ],
)
def test_an_order_that_looks_wrong_is_mentioned_and_kept(
    run, write, command, first, second, doubted
) -> None:
    old, new = write(first, OLD), write(second, NEW)
    done = run(*command, old, new)
    assert done.code in (0, 1)
    assert f"{first} -> " in done.out.replace(str(old.parent), "").replace("/", "")
    if doubted:
        assert done.err.count("\n") == 1
        assert done.err.startswith("muscle-metrics: note: ")
        assert "the old run comes first" in done.err
    else:
        assert done.err == ""


def test_dates_that_a_harness_recorded_are_looked_at(monkeypatch, capsys) -> None:
    from muscle_metrics.cli.mistakes import doubt_order
    from muscle_metrics.runs.record import Run

    runs = [Run((), "x", {"date": date}) for date in ("2026-05-02T10:00", "2026-05-01T23:59")]
    doubt_order(["a.jsonl", "b.jsonl"], runs)
    assert "the date in it looks newer" in capsys.readouterr().err
    doubt_order(["a.jsonl", "b.jsonl"], runs[::-1])
    # Of two ways of writing a date nothing is concluded.
    doubt_order(["a.jsonl", "b.jsonl"], [runs[0], Run((), "x", {"date": "1 May 2026"})])
    assert capsys.readouterr().err == ""


# 2. Positions instead of ids.


@every_command
def test_runs_without_ids(run, write, command) -> None:
    old, new = write("old.jsonl", without("id", OLD)), write("new.jsonl", without("id", NEW))
    message = said(run(*command, old, new))
    assert "old.jsonl:1: expected the field 'id', got 'topic', 'answer'" in message
    assert "--id-field" in message
    assert "joined by id, never by position" in message


@every_command
@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_of_files_in_another_order(run, write, command, start) -> None:
    def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "id": number} for number, row in enumerate(rows, start)]

    old, new = write("old.jsonl", numbered(OLD)), write("new.jsonl", numbered(NEW[1:] + NEW[:1]))
    message = said(run(*command, old, new))
    assert "different references for 20 items" in message
    assert "the ids are row numbers" in message
    assert "check --id-field" in message
    # Ids that are no row numbers are not called so.
    old, new = write("old.jsonl", OLD), write("new.jsonl", [{**NEW[0], "reference": 1}, *NEW[1:]])
    message = said(run(*command, old, new))
    assert "row numbers" not in message
    assert "such as 'yes' in old and 1 in new" in message


# 3. No reference.


@every_command
def test_runs_without_references(run, write, command) -> None:
    runs = [write(n, without("reference", r)) for n, r in (("old.jsonl", OLD), ("new.jsonl", NEW))]
    message = said(run(*command, *runs))
    assert "expected a reference for every item" in message
    assert "--reference-field, or give --reference FILE" in message


# 4. Percent instead of a share.


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["gate", "OLD", "NEW", "--max-nfr", "2"], "write 2 % as 0.02"),
        (["gate", "OLD", "NEW", "--max-nfr", "0.1", "--confidence", "95"], "write 95 % as 0.95"),
        (["power", "--limit", "2"], "write 2 % as 0.02"),
    ],
)
def test_percent(run, write, command, advice) -> None:
    runs = {"OLD": write("old.jsonl", OLD), "NEW": write("new.jsonl", NEW)}
    done = run(*(runs.get(word, word) for word in command))
    assert done.code == 2
    assert advice in said(done)


# 5. One file twice.


@every_command
def test_one_run_is_not_compared_with_itself(run, write, command, tmp_path: Path) -> None:
    old = write("old.jsonl", OLD)
    again = tmp_path / "again.jsonl"
    again.symlink_to(old)
    for other in (old, tmp_path / "." / "old.jsonl", again):
        done = run(*command, old, other)
        assert done.code == 2
        assert "expected two different runs" in said(done)
    assert run(*command, "--prediction-field", "prediction", old, again).code == 2
    different = ["--prediction-field", "reference", "--prediction-field", "answer"]
    assert run(*command, old, again, *different).code in (0, 3)
    # A chain may come back to a version; two steps of it are two updates.
    if command == ["compare"]:
        assert run("compare", old, write("new.jsonl", NEW), old).code == 0


# 6. Another name of a field.


@every_command
@pytest.mark.parametrize(
    ("flag", "given", "meant"),
    [
        ("--prediction-field", "predicton", "prediction"),
        ("--prediction-field", "Prediction", "prediction"),
        ("--prediction-field", "pred", "prediction"),
        ("--slice-field", "topics", "topic"),
        ("--reference-field", "refrence", "reference"),
        ("--prediction-field", "output", None),
    ],
)
def test_a_field_that_is_not_there(run, write, command, flag, given, meant) -> None:
    done = run(*command, write("old.jsonl", OLD), write("new.jsonl", NEW), flag, given)
    message = said(done)
    assert f"expected the field '{given}', got 'id', 'topic', 'answer'" in message
    assert f"name it with {flag}" in message or f"name another with {flag}" in message
    assert (f"did you mean '{meant}'?" in message) == (meant is not None)
    assert ("did you mean" in message) == (meant is not None)


# 7. Labels and texts.


@every_command
def test_numbers_against_texts(run, write, command) -> None:
    def texts(rows: list[dict[str, Any]], kind: type) -> list[dict[str, Any]]:
        return [{"id": r["id"], "prediction": kind(len(r["prediction"])), "reference": "3"}
                for r in rows]  # fmt: skip

    old, new = write("old.jsonl", texts(OLD, str)), write("new.jsonl", texts(NEW, int))
    message = said(run(*command, old, new))
    assert "got a number 3 against text '3'" in message
    assert "--key builtins:str" in message
    done = run(*command, old, new, "--key", "builtins:str")
    # 10 of 90 items broke: at a limit of 10 % that decides nothing.
    assert done.code == (3 if command[0] == "gate" else 0)


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_answers_of_new_are_not_their_own_references(run, tmp_path: Path, engine) -> None:
    """A new model that is right by itself cannot break anything; one judged by old can."""
    rows = [{"id": str(k), "alt": "да", "neu": "да" if k < 50 else "нет"} for k in range(60)]
    both = tmp_path / "both.jsonl"
    both.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fields = ("--prediction-field", "alt", "--prediction-field", "neu", "--engine", engine)
    command = ("gate", both, both, *fields, "--max-nfr", "0.05", "--reference-field")
    done = run(*command, "neu")
    assert (done.code, done.out) == (2, "")
    assert "every answer would be right by itself" in done.err
    assert run(*command, "alt").code == 1


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_the_field_of_references_holds_no_answers(run, pair, engine) -> None:
    """The right answers of the field that is read without being named."""
    fields = ("--prediction-field", "prediction", "--prediction-field", "reference")
    done = run("gate", *pair(broken=9), *fields, "--max-nfr", "0.5", "--engine", engine)
    assert (done.code, done.out) == (2, "")
    assert "every answer would be right by itself" in done.err


def test_text_of_new_is_not_its_own_reference(run, tmp_path: Path) -> None:
    old, new, right = (tmp_path / name for name in ("alt.txt", "neu.txt", "richtig.txt"))
    old.write_text("да\n" * 60, encoding="utf-8")
    new.write_text("да\n" * 40 + "нет\n" * 20, encoding="utf-8")
    right.symlink_to(new)
    # A copy is one too, whatever ends its lines, and whatever packs it.
    copy, packed = tmp_path / "kopie.txt", tmp_path / "kopie.txt.gz"
    copy.write_bytes(new.read_bytes().replace(b"\n", b"\r\n"))
    packed.write_bytes(gzip.compress(new.read_bytes()))
    for reference in (new, right, copy, packed):
        done = run("gate", old, new, "--max-nfr", "0.1", "--reference", reference)
        assert (done.code, done.out) == (2, "")
        assert "every answer would be right by itself" in done.err
    assert run("gate", old, new, "--max-nfr", "0.1", "--reference", old).code == 1


@every_command
def test_a_copy_of_new_in_the_field_of_its_answers(run, write, command) -> None:
    """Old has no such field, and so no other reference."""
    rows = [{"id": f"q{n}", "alt": "да"} for n in range(60)]
    old = write("alt.jsonl", rows)
    changed = [{**row, "reference": "да" if n < 40 else "нет"} for n, row in enumerate(rows)]
    new, copy = write("neu.jsonl", changed), write("kopie.jsonl", changed[::-1])
    fields = ("--prediction-field", "alt", "--prediction-field", "reference")
    done = run(*command, old, new, *fields, "--reference", copy)
    assert (done.code, done.out) == (2, "")
    assert "every answer would be right by itself" in done.err


# 8. A folder.


@every_command
def test_a_folder_for_a_file(run, write, command, tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    folder.mkdir()
    for name in ("README.md", "old.jsonl"):
        (folder / name).touch()
    message = said(run(*command, folder, write("new.jsonl", NEW)))
    assert "expected a file, or the folder of a run" in message


@every_command
@pytest.mark.parametrize("engine", ["auto", "duckdb"])
def test_a_folder_that_holds_the_other_run(run, write, command, tmp_path: Path, engine) -> None:
    """Its shards are the new run itself, which would pass any gate."""
    new = write("new.jsonl", NEW)
    for old in (tmp_path, tmp_path / "*.jsonl"):
        done = run(*command, old, new, "--engine", engine)
        assert (done.code, done.out) == (2, "")
        assert "expected two different runs" in done.err


# 9. Cells with another delimiter.


@every_command
@pytest.mark.parametrize(
    ("name", "delimiter", "advice"),
    [
        ("old.csv", ";", "save it with commas in place of ';'"),
        ("old.csv", "|", "save it with commas in place of '|'"),
        ("old.csv", "\t", "--format tsv"),
        ("old.tsv", ",", "--format csv"),
    ],
)
def test_another_delimiter(run, write, command, tmp_path: Path, name, delimiter, advice) -> None:
    old = tmp_path / name
    with old.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, OLD[0], delimiter=delimiter)
        table.writeheader()
        table.writerows(OLD)
    new = write("new.jsonl", NEW)
    message = said(run(*command, old, new))
    assert f"{name}:1: expected column names with " in message
    assert advice in message
    if "--format" in advice:
        own = ["--format", advice.split()[1], "--format", "jsonl"]
        assert run(*command, old, new, *own).code in (0, 1)


def test_a_delimiter_inside_one_of_several_names_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("id,prediction;model\n1,yes\n")
    assert read_run(path, prediction_field="prediction;model").records[0].prediction == "yes"


# 10. Runs of different tasks.


@every_command
def test_runs_that_share_no_item(run, write, command) -> None:
    other = [{**row, "id": f"other/{row['id']}"} for row in NEW]
    for flags in ([], ["--missing", "drop"]):
        done = run(*command, write("old.jsonl", OLD), write("new.jsonl", other), *flags)
        message = said(done)
        assert "no id in all of them (such as 'q0' in old and 'other/q0' in new)" in message
        assert "compare runs of one benchmark" in message


# 11. Names that are spelt wrong.


@every_command
@pytest.mark.parametrize(
    ("given", "meant"),
    [("rogue1", "rouge1"), ("exactmatch", "exact_match"), ("f1", "token_f1"), ("ROUGEL", "rougeL"),
     ("accuracy", None)],
)  # fmt: skip
def test_a_metric_that_is_not_there(run, write, command, given, meant) -> None:
    done = run(*command, write("old.jsonl", OLD), write("new.jsonl", NEW), "--metric", given)
    assert done.code == 2
    message = said(done)
    assert f"got '{given}'" in message
    assert message.endswith(f": did you mean '{meant}'?\n") == (meant is not None)
    assert ("did you mean" in message) == (meant is not None)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["compere", "a", "b"], "compare"),
        (["compare", "a", "b", "--slice_field", "x"], "--slice-field"),
        (["compare", "a", "b", "--jsn=x"], "--json"),
        (["gate", "a", "b", "--max_nfr", "0.1"], "--max-nfr"),
        (["compare", "a", "b", "--missing", "dorp"], "drop"),
    ],
)
def test_a_word_of_the_command_line(run, words, meant) -> None:
    done = run(*words)
    assert done.code == 2
    assert f"did you mean '{meant}'? see 'muscle-metrics " in said(done)


# 12. A gate without a limit.


def test_a_gate_without_a_limit(run, write) -> None:
    done = run("gate", write("old.jsonl", OLD), write("new.jsonl", NEW))
    assert done.code == 2
    message = said(done)
    assert "--max-nfr" in message
    assert "there is no default" in message
    assert "muscle-metrics power" in message
