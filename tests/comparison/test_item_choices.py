"""Letters beyond the options of their item, in files, tables and every way to compare them."""

from __future__ import annotations

import json

import pytest

from muscle_metrics import compare_chain, compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.errors import FileError, InputError, PairingError, UsageError

LETTER = {"answer": "letter", "choices_field": "options"}
TEN = [str(n) for n in range(10)]


def rows(*items):
    """Rows of prediction, reference and options."""
    names = ("prediction", "reference", "options")
    return [{"id": n, **dict(zip(names, one, strict=True))} for n, one in enumerate(items)]


OLD = rows(("Answer: B", "B", ["w", "x", "y", "z"]), ("Answer: J", "J", TEN), ("A", "A", 4))
NEW = rows(("Answer: E", "B", {"A": 1, "B": 2, "C": 3, "D": 4, "E": None}), ("Answer: I", "J", 10),
           ("A", "A", "ABCD"))  # fmt: skip


def replaced(table, position, **values):
    return [{**row, **values} if n == position else row for n, row in enumerate(table)]


def test_every_item_is_read_by_its_own_options():
    found = compare_runs(OLD, NEW, **LETTER)
    assert found.counts.negative == 2
    assert found.reading.unread == (0, 1)
    assert "answer letter; choices of each item;" in found.signature
    without = compare_runs(OLD, NEW, answer="letter")
    assert (without.counts, without.reading.unread) == (found.counts, (0, 0))
    assert "choices of each item" not in without.signature


def test_options_of_one_run_count_for_both():
    old = read_run(OLD, choices_field="options", name="old")
    new = read_run(NEW, name="new")
    for pair in ((old, new), (read_run(OLD), read_run(NEW, choices_field="options"))):
        assert compare_runs(*pair, answer="letter").reading.unread == (0, 1)


def test_named_choices_come_first():
    found = compare_runs(OLD, NEW, answer="letter(choices=ABCDEFGHIJ)", choices_field="options")
    assert found.reading.unread == (0, 0)
    assert "choices of each item" not in found.signature


@pytest.mark.parametrize("answer", ["letter", "no-think, letters"])
def test_different_options_of_one_item_are_refused(answer):
    new = replaced(NEW, 1, options=9)
    with pytest.raises(PairingError, match=r"1 item \(id '1'\), such as ABCDEFGHIJ and ABCDEFGHI:"):
        compare_runs(OLD, new, answer=answer, choices_field="options")
    runs = [read_run(table, choices_field="options") for table in (OLD, OLD, new)]
    with pytest.raises(PairingError, match="the same options for every item in all runs"):
        compare_chain(runs, answer=answer)
    # Nobody asked for letters.
    assert compare_runs(runs[0], runs[2]).total == 3


@pytest.mark.parametrize("reference", ["J", ["A", "J"]])
def test_a_reference_beyond_the_options_is_refused(reference):
    old, new = (replaced(one, 2, reference=reference, options=4) for one in (OLD, NEW))
    with pytest.raises(InputError, match=r"such as 'J' at id '2' in .* \(options ABCD\): "):
        compare_runs(old, new, **LETTER)


@pytest.mark.parametrize("damage", [None, 0, 27, [], "Paris", ["w", None], {"A": None}, True])
def test_a_row_whose_options_are_damaged_is_refused(tmp_path, damage):
    path = tmp_path / "new.jsonl"
    damaged = replaced(NEW, 1, options=damage)
    path.write_text("".join(json.dumps(row) + "\n" for row in damaged), encoding="utf-8")
    with pytest.raises(FileError, match=r"new.jsonl:2: expected the 1 to 26 options of an item"):
        read_run(path, choices_field="options")


def test_other_scripts_have_options_too():
    old = rows(("Ответ: В", "В", "АБВГ"), ("الإجابة: د", "د", "أبجد"), ("Д", "Д", "АБВГД"))
    new = rows(("Ответ: Д", "В", "АБВГ"), ("الإجابة: ب", "د", "أبجد"), ("(Д)", "Д", "АБВГД"))
    found = compare_runs(old, new, **LETTER)
    assert (found.counts.negative, found.counts.both_right) == (2, 1)
    assert found.reading.unread == (0, 1)


def test_a_field_that_no_reader_uses_is_refused(tmp_path, capsys):
    with pytest.raises(UsageError, match="expected --answer letter or letters"):
        compare_runs(OLD, NEW, choices_field="options", answer="strip")
    paths = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
    for path, table in zip(paths, (OLD, NEW), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in table))
    asked = ["compare", *map(str, paths), "--choices-field", "options"]
    assert main(asked) == 2
    assert "expected --answer letter or letters" in capsys.readouterr().err
    assert main([*asked, "--answer", "letter", "--engine", "duckdb"]) == 2
    assert "expected no --choices-field with --engine duckdb" in capsys.readouterr().err
    assert main([*asked, "--answer", "letter"]) == 0
    assert "letter found nothing in 1 of 3 answers of new" in capsys.readouterr().out


def test_a_baseline_says_that_it_was_judged_by_options():
    run = read_run(OLD, choices_field="options", name="old")
    assert (
        make_baseline(run, answer="letter")
        .fingerprint["judging"]
        .endswith("answer letter, choices of each item")
    )
    plain = read_run(OLD, name="old")
    assert make_baseline(plain, answer="letter").fingerprint["judging"].endswith("answer letter")
