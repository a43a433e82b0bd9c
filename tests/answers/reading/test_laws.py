"""Laws of every reader in the table, also of those that are added later."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.answers.reading.table import ANSWER_READERS

# Readers that need an option, and others worth a law of their own.
WRITTEN = {
    **{name: name for name in ANSWER_READERS},
    "regex": r"regex(pattern=\"(?:answer|Antwort) is (\\w+)\")".replace('\\"', '"'),
    "comma": "number(decimal=comma, tolerance=1e-6)",
    "choices": "letter(choices=ABCD)",
    "several": "no-think, no-fence, last-line, casefold",
}
# Words that readers look for, between pieces of any script, marks, blanks and halves of characters.
PIECES = st.one_of(
    st.sampled_from(
        ["<think>", "</think>", "<|channel|>final<|message|>", "```", "~~~", "\n", " ", "####", "$",
         "\\boxed{", "}", "{", "answer is ", "Answer: ", "答案：", "Antwort ", "A", "(B)", "b",
         "C, D", "yes", "No", "нет", "はい", "and", "or", "not ", "1,234.5", "-5", "−7", "1e3", "½",
         "٣", "12 000", "3/2", "%", "[", "]", '{"a": 1}', "true", "null", '"', "\\frac{1}{2}", "^2",
         "\u200b", "\u0301"]
    ),
    st.text(max_size=4),
    st.characters(categories=["Cs"]),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)

every_reader = pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)


def reading_of(written: str) -> Reading:
    if written.startswith("math"):
        pytest.importorskip("math_verify", reason="mathematics is behind an extra")
    return Reading.of(written)


@every_reader
def test_what_a_reference_gives_reads_as_itself(written: str) -> None:
    reading = reading_of(written)

    @given(TEXTS)
    @settings(max_examples=150, deadline=None)
    def law(text: str) -> None:
        found = reading.reference(text)
        assert found is None or isinstance(found, str)
        if found is None:
            return
        assert reading.reference(found) == found
        if written != WRITTEN["regex"]:
            assert reading.read(found) == (found, True)
        # A reference equals itself.
        assert reading.readers[-1].same(found, found)

    law()


@every_reader
def test_answers_of_any_kind_give_a_text_that_reads_as_itself_or_nothing(written: str) -> None:
    reading = reading_of(written)
    values = st.one_of(
        TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(TEXTS, max_size=2),
        st.dictionaries(TEXTS, TEXTS, max_size=2),
    )  # fmt: skip

    @given(values)
    @settings(max_examples=150, deadline=None)
    def law(value: object) -> None:
        text, is_found = reading.read(value)
        assert text is None or isinstance(text, str)
        if is_found and written != WRITTEN["regex"]:
            assert text is not None
            assert reading.read(text) == (text, True)

    law()


@every_reader
def test_an_answer_in_which_nothing_is_found_equals_no_reference(written: str) -> None:
    reading = reading_of(written)

    @given(TEXTS, TEXTS)
    @settings(max_examples=100, deadline=None)
    def law(answer: str, reference: str) -> None:
        accepted = [one for one in (reading.reference(reference), answer) if one is not None]
        text, is_found = reading.read(answer, accepted)
        assert is_found or text not in accepted

    law()


@every_reader
@pytest.mark.parametrize("noise", ["qzx", "?!", "не знаю", "", "I cannot say.", "ดี", "\ud800"])
def test_noise_is_not_right(written: str, noise: str) -> None:
    reading = reading_of(written)
    for reference in ("A", "5", "yes", "no", "x^2", "Paris", '{"a": 1}', "true", "[1]"):
        accepted = reading.reference(reference)
        if accepted is not None:
            assert reading.read(noise, [accepted]).text != accepted


# One megabyte of each class of characters, and of the marks that readers look for.
CLASSES = (
    "a", "A", "A ", "1", "1,", "1.", " ", "\n", "\t", ".", "-", "(", ")", "{", "}", "[", "]", '"',
    "\\", "$", "#", "*", "_", "`", "~", "<", ">", "|", "/", "^", "=", ":", "中", "é", "é ", "٣",
    "\u0301", "\u200b", "\ud800", "😀", "<think>", "</think>", "```\n", "\\boxed{", "answer is ",
    "Answer: A\n", "#### 1\n", "1/2 ", "A, B ", "yes no ", "{}", "[[", "1 000 ", ",", "−", "--",
    "- ", "\\frac", "\\frac{", "\\frac{1}{2}", "1, 2 ", "1 1,1", "12,345 ", "1e1 ", "1:", "1 or ",
    "$1", "not ", "1\u0301", "a\u0301\u0323", "答案", "答案：", "<tool_call>", "<tool_call>{",
    '{"a":', "f(a=", "a ",
)  # fmt: skip


@pytest.mark.slow
@every_reader
def test_time_is_linear(written: str) -> None:
    reading = reading_of(written)
    slow = {}
    for piece in CLASSES:
        text = piece * (1_000_000 // len(piece))
        start = time.process_time()
        reading.read(text)
        reading.reference(text)
        seconds = time.process_time() - start
        if seconds > 2:
            slow[piece] = round(seconds, 1)
    assert not slow


@every_reader
def test_a_reading_is_pickled(written: str) -> None:
    reading = reading_of(written)
    for text in ("The answer is 5.", "B", "yes"):
        assert pickle.loads(pickle.dumps(reading)).read(text) == reading.read(text)
