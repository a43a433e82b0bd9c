"""Letters of multiple choice: pairs judged by hand, laws, and the patterns of other harnesses."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.answers.reading.letters import READERS
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.errors import UsageError
from tests.answers.reading.letter_pairs import letter_pairs

LETTER, LETTERS = READERS


def same(reader, answer, reference, **options):
    read = reader.prediction(answer, **options)
    wanted = reader.reference(reference, **options)
    return read is not None and wanted is not None and reader.same(read, wanted)


def test_pairs_are_judged_as_people_do():
    wrong = [
        (answer, reference, LETTER.prediction(answer))
        for answer, reference, equal in letter_pairs()
        if same(LETTER, answer, reference) != equal
    ]
    assert wrong == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@pytest.mark.parametrize(
    "options",
    [{"take": "first"}, {"choices": "ABCDE"}, {"choices": "ABCDEFGHIJ", "take": "first"}],
    ids=str,
)
def test_no_option_accepts_a_wrong_answer(reader, options):
    # The first of two announced answers is another convention, not a wrong one.
    accepted = [
        (answer, reference)
        for answer, reference, equal in letter_pairs()
        if not equal and reference in "ABCDE" and same(reader, answer, reference, **options)
    ]
    assert accepted == []


@pytest.mark.parametrize(
    ("answer", "letters"),
    [
        ("Answer: A, C and D", "ACD"),
        ("Answer: D, C, A", "ACD"),
        ("ACD", "ACD"),
        ("Answer: A and C", "AC"),
        ("Answer: A & C.", "AC"),
        ("The correct answers are (B) and (D).", "BD"),
        ("Answers: A, C", "AC"),
        ("Правильные ответы: А, Б", "AB"),
        ("Answer: **A**, **C**", "AC"),
        ('{"answer": ["A", "C"]}', "AC"),
        ("答案：A、C", "AC"),
        ("Antwort: A und C", "AC"),
        ("Respuesta: A y C", "AC"),
        ("Ответ: А и Б", "AB"),
        ("Answer: B", "B"),
        ("Answer: A or C", None),
        ("Answer: A, B or C", None),
        ("Answer: A and C are wrong", None),
        ("Answer: NO", None),
        ("Answer: BAD", None),
        ("A dog and a cat", None),
    ],
)
def test_selections_are_read_in_the_order_of_the_options(answer, letters):
    assert LETTERS.prediction(answer) == letters


def test_only_the_letters_of_an_item_are_answers():
    assert LETTER.prediction("Answer: E", choices="ABCD") is None
    assert LETTER.prediction("Answer: E", choices="ABCDE") == "E"
    assert LETTER.reference("E", choices="ABCD") is None
    assert LETTERS.prediction("Answer: CAD", choices="ABCD") == "ACD"


@pytest.mark.parametrize(
    ("answer", "letters", "letter"),
    [
        ("Answer: E", "ABCD", None),
        ("Answer: E", "ABCDEFGHIJ", "E"),
        ("Answer: B", "ABCD", "B"),
        # There is no E; the B behind it is not what the answer announces.
        ("Answer: E. So (B)", "ABCD", None),
        ("Answer: H", "FGHJ", "H"),
        ("Answer: C", "FGHJ", None),
        ("Ответ: В", "АБВГ", "В"),
        ("Ответ: Д. (Б)", "АБВГ", None),
        ("الإجابة: د", "أبجد", "د"),
        # Drawn as B: without the options of Russian it names none.
        ("Ответ: В", "ABCD", None),
        ("Ответ: Б", "ABCD", "B"),
    ],
)
@pytest.mark.parametrize("written", ["letter", "letters"])
def test_an_item_has_its_own_options(written, answer, letters, letter):
    read = Reading.of(written).of_item(letters).read(answer)
    assert (read.text if read.is_found else None) == letter


@pytest.mark.parametrize(
    ("reference", "letters", "letter"),
    [
        ("E", "ABCD", None), ("E", "ABCDE", "E"), ("В", "АБВГ", "В"), ("Д", "АБВГ", None),
        (4, "ABCD", None), (3, "ABCD", "D"), ("0", "FGHJ", "F"), ("1", "أبجد", "ب"),
    ],
)  # fmt: skip
def test_a_reference_is_an_option_of_its_item(reference, letters, letter):
    assert Reading.of("letter(index=0)").of_item(letters).reference(reference) == letter


def test_named_choices_come_before_those_of_items():
    reading = Reading.of("letter(choices=ABCDE)")
    assert not reading.takes_choices
    assert reading.of_item("AB").read("Answer: E").text == "E"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@given(
    text=st.one_of(st.text(), st.text("ABCDEЕВ(.): answer", max_size=12)), count=st.integers(1, 26)
)
def test_options_of_an_item_only_take_letters_away(reader, text, count):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:count]
    for whole, of_item in (
        (reader.prediction(text), reader.of_item(letters).prediction(text)),
        (reader.reference(text), reader.of_item(letters).reference(text)),
    ):
        is_option = whole is not None and set(whole) <= set(letters)
        assert of_item == (whole if is_option else None)


def test_a_letter_of_another_script_is_read_where_it_names_one_option():
    # The third letter of Russian is drawn as the second of Latin.
    assert LETTER.prediction("Ответ: В") is None
    assert LETTER.prediction("Ответ: В", choices="AB") == "B"
    assert LETTER.prediction("Ответ: В", choices="АБВГ") == "В"
    assert LETTER.reference("в", choices="АБВГ") == "В"
    assert LETTER.prediction("उत्तर: क", choices="अबकड") == "क"
    assert LETTER.prediction("উত্তর: ঘ") == "D"


def test_the_last_announced_answer_counts_or_the_first():
    answer = "Answer: A\nwait, Answer: C"
    assert LETTER.prediction(answer) == "C"
    assert LETTER.prediction(answer, take="first") == "A"


def test_a_question_that_the_model_made_up_is_not_read():
    made_up = "The answer is (B).\n\nQuestion: Which?\nAnswer: C"
    assert LETTER.prediction(made_up) == "B"
    assert LETTER.prediction("Question: Which?\nAnswer: C") == "C"


@pytest.mark.parametrize(
    ("reference", "index", "letter"),
    [
        (2, 0, "C"),
        ("2", 0, "C"),
        (2, 1, "B"),
        (0, 1, None),
        (4, 0, None),
        (-1, 0, None),
        (True, 0, None),
        (2, None, None),
        ("2", None, None),
        (1.0, 0, None),
        ("C", 0, "C"),
    ],
)
def test_references_may_be_numbers_of_options(reference, index, letter):
    assert LETTER.reference(reference, choices="ABCD", index=index) == letter


@pytest.mark.parametrize("reference", ["A, C", "AC", "A dog", "Paris", "", "A or B", None, ["A"]])
def test_references_that_are_more_than_a_letter_are_not_read(reference):
    assert LETTER.reference(reference) is None


@pytest.mark.parametrize("value", [None, 3, True, 1.5, ["B"], {"answer": "B"}, b"B"])
def test_what_is_no_text_holds_no_letter(value):
    assert LETTER.prediction(value) is None
    assert LETTERS.prediction(value) is None


@pytest.mark.parametrize(
    "options",
    [
        *({"choices": wrong} for wrong in ("AA", "", "A1", 5)),
        *({"take": "middle"}, {"index": 2}, {"index": "0"}),
    ],
    ids=str,
)
def test_wrong_options_are_refused(options):
    with pytest.raises(UsageError):
        LETTER.prediction("B", **options)


# The words of simple-evals (common.py, MULTILINGUAL_ANSWER_REGEXES, commit of 2025), with a colon.
WORDS = [
    "Answer", "উত্তর", "उत्तर", "উত্তরঃ", "Antwort", "답변", "정답", "답", "答案", "答", "答复",
    "答曰", "الإجابة", "الجواب", "إجابة", "الإجابة النهائية", "الإجابة الصحيحة",
    "الإجابة الصحيحة هي", "الإجابة هي", "الجواب النهائي", "Respuesta", "Risposta", "答え",
    "回答", "解答", "Jawaban", "Réponse", "Resposta", "Jibu", "Idahun", "Ìdáhùn", "Idáhùn",
    "Àmọ̀nà", "Àdáhùn", "Ànúgọ", "Àṣàyàn",
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("colon", [":", " : ", "："])
def test_every_word_of_simple_evals_announces_an_answer(word, colon):
    for written, letter in [("B", "B"), ("Ｃ", "C"), ("**D**", "D"), ("أ", "A"), ("ব", "B")]:
        assert LETTER.prediction(f"x\n{word}{colon} {written}") == letter


# MMLU-Pro, compute_accuracy.py, and the filter of lm-evaluation-harness (mmlu_pro/_default.yaml).
MMLU_PRO = re.compile(r"answer is \(?([A-J])\)?")


@given(
    st.lists(st.sampled_from(["Let us see.", "(a) is 5.", "x = 3", "\n", "A dog."]), max_size=5),
    st.sampled_from("ABCDEFGHIJ"),
    st.sampled_from(["The answer is ({}).", "the answer is {}.", "Hence the answer is ({})"]),
)
def test_agrees_with_the_pattern_of_mmlu_pro(thoughts, letter, announced):
    answer = " ".join([*thoughts, announced.format(letter)])
    found = MMLU_PRO.search(answer)
    assert found is not None
    assert LETTER.prediction(answer, take="first") == found[1]


FRAGMENTS = st.sampled_from(
    [
        "A", "B", "C", "D", "I", "a", "b", "Б", "В", "ب", "答案", "は", "정답", "(", ")", "[",
        "]", "*", "**", "$", "\\boxed{", "}", ":", "：", ".", "Answer", "answer is", "so",
        "and", "or", "not", "is correct", "wrong", "option", "\n", "Question:", " ", "A)",
        "\u0301", "\u200b", "\ud800", "İ", "ß", "،", "1",
    ]
)  # fmt: skip
ANY_TEXT = st.one_of(st.text(), st.lists(FRAGMENTS, max_size=12).map("".join))
OPTIONS = st.sampled_from(
    [{}, {"choices": "ABCD"}, {"choices": "АБВГ"}, {"choices": "أبجد"}, {"take": "first"}]
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@given(text=ANY_TEXT, options=OPTIONS)
def test_what_is_read_reads_as_itself(reader, text, options):
    for read in (reader.prediction(text, **options), reader.reference(text, **options)):
        if read is not None:
            assert reader.prediction(read, **options) == read
            assert reader.reference(read, **options) == read


@given(text=ANY_TEXT)
def test_a_single_letter_is_the_only_letter_of_a_selection(text):
    letter, letters = LETTER.prediction(text), LETTERS.prediction(text)
    assert letter == letters or (letter is None and letters is not None and len(letters) > 1)


REPEATED = [
    "a", "A", " ", "\n", "(", "*", "$", "\\", ".", "1", "答", "선", "क", "\u0301", "\u200b", "İ",
    "A ", "A\n", "A, ", "A or ", "(A) ", "answer ", "answer: ", "Answer: A ", "so ", "not A but ",
    "B is correct ", "\nQuestion: ", "A) x\n", "\\boxed{", "<b>", "i choose ",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("repeated", REPEATED, ids=repr)
def test_a_megabyte_is_read_in_linear_time(repeated):
    text = repeated * (1_000_000 // len(repeated))
    start = time.process_time()
    LETTER.prediction(f"Answer: {text}")
    assert time.process_time() - start < 2


@pytest.mark.parametrize("repeated", REPEATED, ids=repr)
def test_long_answers_take_no_square_of_time(repeated):
    text = repeated * (40_000 // len(repeated))
    start = time.process_time()
    LETTER.prediction(f"Answer: {text}")
    assert time.process_time() - start < 1
