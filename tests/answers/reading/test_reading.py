"""Readers one after the other: how they are written, and what they do with answers."""

from __future__ import annotations

import pytest

from muscle_metrics import compare, count_chain, count_flips, flip_matrix
from muscle_metrics.answers.reading.reading import Answer, Reading
from muscle_metrics.answers.reading.table import ANSWER_READERS
from muscle_metrics.comparison.consistency import consistency
from muscle_metrics.errors import InputError, UsageError


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("strip,casefold", "strip, casefold"),
        (" no-think , last-line ", "no-think, last-line"),
        ("regex:a{1,3}(,b)", 'regex(pattern="a{1,3}(,b)")'),
        (
            r'regex(pattern="a, \"b\"", last=true), strip',
            r'regex(pattern="a, \"b\"", last=true), strip',
        ),
        ("strip, regex: (\\w+)\\(", 'strip, regex(pattern=" (\\\\w+)\\\\(")'),
        ('regex(pattern=",regex:x")', 'regex(pattern=",regex:x")'),
        ("letter(choices=ABCD)", "letter(choices=ABCD)"),
        ("number(decimal=comma, tolerance=1e-6)", "number(decimal=comma, tolerance=1e-06)"),
    ],
)  # fmt: skip
def test_a_name_reads_as_the_same_readers(written: str, name: str) -> None:
    reading = Reading.of(written)
    assert reading.name == name
    again = Reading.of(name)
    assert again.name == name
    for text in (" A, b", "aa,b ", "7", "B", "x (y("):
        assert again.read(text) == reading.read(text)


@pytest.mark.parametrize(
    "written", ["", " ", ",", "strip,", "nope", "strip(x=1)", "strip casefold", "letter(choices=)",
                "regex", "regex:", "regex:(", r"regex:(a+)+$", "regex:(a|a)*b", "regex:.*.*.*x",
                "regex(pattern=a, last=3)", "number, strip"],
)  # fmt: skip
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        Reading.of(written)


# Blocks of DeepSeek, Qwen, Magistral, Kimi, Seed and gpt-oss, whole or cut off.
THINKING = {
    "<think>\nIt is 4.\n</think>\n\nIt is 5.": "It is 5.",
    "It is 4.</think>It is 5.": "It is 5.",
    "<think>It is 4": None,
    "<think></think>": None,
    "It is 5. <think>Is it?": "It is 5.",
    "<THINKING>4</THINKING> 5": "5",
    "<think>a<think>b</think> 5": "5",
    "<think>a</thinking> 5 <reasoning>b</reasoning>": "5",
    "[THINK]4[/THINK]5": "5",
    "◁think▷4◁/think▷5": "5",
    "<seed:think>4</seed:think>5": "5",
    "<|channel|>analysis<|message|>4?<|end|><|start|>assistant<|channel|>final<|message|>5<|return|>":
        "5",
    "<|channel|>analysis<|message|>4?<|end|><|start|>assistant": None,
    "analysisWe need 4.assistantfinalIt is 5.": "It is 5.",
    "I think it is 5.": "I think it is 5.",
    "a < b and think > c": "a < b and think > c",
    "<thi<think>x</think>nk>": "<thi\nnk>",
}  # fmt: skip


@pytest.mark.parametrize("text", THINKING)
def test_no_think(text: str) -> None:
    assert Reading.of("no-think").read(text) == (THINKING[text], THINKING[text] is not None)


FENCED = {
    "```json\n[1]\n```": "[1]",
    "First\n```\na\n```\nthen\n~~~py\nb\n~~~\nEnd": "b",
    "````\n```\nx\n```\n````": "x",
    "```\nx": "x",
    " x ": "x",
    "```\n```": None,
    "`x`": "`x`",
}


@pytest.mark.parametrize("text", FENCED)
def test_no_fence(text: str) -> None:
    assert Reading.of("no-fence").read(text).is_found == (FENCED[text] is not None)
    assert FENCED[text] in (None, Reading.of("no-fence").read(text).text)


YES_NO = {
    "Yes.": "yes", "NO!": "no", "**Yes**, because": "yes", "Yes, there is no doubt.": "yes",
    "The answer is no.": "no", "Answer: Yes": "yes", "It is true.": "yes", "I would say no": "no",
    "Yes and no.": None, "yes/no": None, "Yes or No?": None, "so yes or no": None, "": None,
    "There is no evidence of it.": None, "Noted.": None, "It depends.": None, "no ja": "no",
    "Ja, natürlich": "yes", "Nein": "no", "はい。": "yes", "いいえ、違います": "no",
    "答案：是": "yes", "不是": "no", "Да, конечно": "yes", "нет": "no", "نعم": "yes", "لا": "no",
    "네": "yes", "아니요.": "no", "हाँ।": "yes", "नहीं": "no", "¿Sí?": "yes", "não": "no",
    "Evet": "yes",
}  # fmt: skip


@pytest.mark.parametrize("text", YES_NO)
def test_yes_no(text: str) -> None:
    assert Reading.of("yes-no").read(text) == (YES_NO[text] or text, YES_NO[text] is not None)


@pytest.mark.parametrize(
    ("reference", "found"), [("Y", None), ("no.", "no"), (True, "yes"), (False, "no"),
                             ("n", None), ("Yes, it is", None), ("yes/no", None), ("B", None)],
)  # fmt: skip
def test_a_reference_of_yes_no_is_one_word(reference: object, found: str | None) -> None:
    assert Reading.of("yes-no").reference(reference) == found


def test_lines() -> None:
    text = "\n  So:\n\n 7 \n"
    assert Reading.of("first-line").read(text) == ("So:", True)
    assert Reading.of("last-line").read(text) == ("7", True)
    # Which of the lines is the answer is not known.
    assert Reading.of("last-line").reference(text) is None


@pytest.mark.parametrize("reader", ["strip", "casefold", "nfkc", "squad"])
def test_what_readers_ignore(reader: str) -> None:
    pairs = {"strip": (" A\u3000", "A"), "casefold": ("STRASSE", "straße"),
             "nfkc": ("１８ ﬁ é", "18 fi e\u0301"), "squad": ("The U.S.A.!", "usa")}  # fmt: skip
    prediction, reference = pairs[reader]
    counts = count_flips(old=[prediction], new=["x"], references=[reference], answer=reader)
    assert (counts.negative, counts.old_right) == (1, 1)
    assert count_flips(old=[prediction], new=["x"], references=[reference]).old_right == 0


def test_a_pattern() -> None:
    reading = Reading.of(r"regex:[Aa]nswer is (\w+)")
    assert reading.read("The answer is red. The answer is blue.") == ("red", True)
    assert Reading.of(r'regex(pattern="is (\\w+)", last=true)').read("is a is b") == ("b", True)
    # A reference may be the bare answer; an answer must match, also where it is that text.
    assert reading.reference("red") == reading.reference("answer is red") == "red"
    counts = count_flips(
        old=["answer is red", "red"], new=["red", "answer is red"], references=["red", "red"],
        answer=r"regex:answer is (\w+)",
    )  # fmt: skip
    assert (counts.negative, counts.positive) == (1, 1)


# Item by item


def test_a_function_comes_first() -> None:
    rows = {"old": [{"text": "A "}], "new": [{"text": "B"}]}
    counts = count_flips(
        **rows, references=[{"text": "a"}], key=lambda row: row["text"], answer="strip,casefold"
    )
    assert (counts.negative, counts.old_right) == (1, 1)


def test_a_missing_answer_stays_missing() -> None:
    with pytest.raises(InputError, match="None or NaN for 1 of 2 in old"):
        count_flips(old=["A", None], new=["A", "B"], references=["A", "B"], answer="strip")
    with pytest.raises(InputError, match="None or NaN for 1 of 2 in new"):
        count_flips(old=["A", "B"], new=["A", "<think>"], references=["A", "B"], answer="no-think")
    counts = count_flips(
        old=["A", "B"], new=["<think>B", "B"], references=["A", "B"],
        answer="no-think", missing="wrong",
    )  # fmt: skip
    assert counts.negative == 1


@pytest.mark.parametrize("references", [["A", "A\nB"], ["A", ["A", "A\nB"]], ["A", "\n "]])
def test_a_reference_that_cannot_be_read_is_refused(references: list[object]) -> None:
    with pytest.raises(InputError, match=r"that first-line reads, got 1 of \d that .* at item 1"):
        count_flips(old=["A", "A"], new=["A", "A"], references=references, answer="first-line")


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match="old 3, new 3, references 2"):
        count_flips(old=list("ABC"), new=list("ABC"), references=list("AB"), answer="strip")


def test_what_is_the_same_as_a_reference_is_not_changed() -> None:
    comparison = compare(
        old=["3.1416", "2"], new=["3.14159", "2.5"], references=["3.14", "2"],
        answer="number(tolerance=0.01)",
    )  # fmt: skip
    assert comparison.counts.both_right == 1
    assert comparison.correctness.changed.tolist() == [False, True]
    assert comparison.table.old == ("3.1416", "2")
    assert "; answer number(tolerance=0.01); " in comparison.signature


def test_any_accepted_reference_counts() -> None:
    counts = count_flips(
        old=["1,000", "B"], new=["2 000", "C"], references=[["1000", "2000.0"], "B"],
        answer="regex:(?s).*",
    )  # fmt: skip
    assert counts.old_right == 1
    counts = count_flips(
        old=["1,000"], new=["2 000"], references=[["1000", "2000.0"]], answer="number"
    )
    assert counts.both_right == 1


def test_unread_answers_are_counted_and_wrong() -> None:
    comparison = compare(
        old=["5", "none", "6", "x"], new=["5", "six", "6", "7"], references=["5", "6", "6", "7"],
        answer="number",
    )  # fmt: skip
    assert comparison.counts.old_right == 2
    first, second = comparison.reading.lines()
    assert first.startswith("warning: number found nothing in 2 of 4 answers of old, which count")
    assert second == "note: number found nothing in 1 of 4 answers of new, which count as wrong"
    assert first in str(comparison)
    assert first in comparison.to_dict()["notes"]
    same = compare(old=["A"], new=["A"], references=["A"], answer="strip,casefold")
    assert "note: strip, casefold changes no answer" not in str(same)
    assert "note: strip changes no answer" in str(
        compare(old=["A"], new=["A"], references=["A"], answer="strip")
    )


def test_an_answer_in_which_nothing_is_found_keeps_its_text() -> None:
    reading = Reading.of("yes-no")
    assert reading.read("maybe") == Answer("maybe", is_found=False)
    # A text that spells what a pattern would have found is still not found.
    assert Reading.of("regex:(?<=: )yes").read("yes", ["yes"]).text != "yes"


def test_other_counts_take_readers() -> None:
    runs = [["Yes", "no"], ["yes.", "No"], ["no", "maybe"]]
    chain = count_chain(versions=runs, references=["yes", "no"], answer="yes-no")
    assert [step.negative for step in chain.steps] == [0, 2]
    assert "; answer yes-no; " in chain.signature
    matrix = flip_matrix(old=runs[0], new=runs[1], answer="yes-no")
    assert matrix.answers == ("no", "yes")
    result = consistency(old=runs[0], new=runs[1], metrics=["exact_match"], answer="yes-no")
    assert result.agreement.tolist() == ["same", "same"]


def test_the_table_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    from muscle_metrics.cli import main

    assert main(["compare", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}," in shown or name == "regex" for name in ANSWER_READERS)
    assert "regex:PATTERN" in shown
