"""Readers of numbers: one value for each spelling, and none for anything that is no number."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.answers.reading import numbers
from muscle_metrics.answers.reading.numbers import gsm8k, last_number, number, same_number
from muscle_metrics.errors import UsageError

READERS = {reader.name: reader for reader in numbers.READERS}

SPELLINGS = {
    "12000": [
        "12,000", "12 000", "12\u202f000", "12\u00a0000", "12'000", "12’000", "12_000", "12{,}000",
        r"12\,000", r"12,\!000", "१२०००", "١٢٬٠٠٠", "１２０００", "𝟏𝟐𝟎𝟎𝟎", "1.2万", "12 thousand",
        "12k", "1.2e4", "1.2 × 10^4", r"1.2 \times 10^{4}", "1.2·10⁴", "$12,000.00", "€12.000,00",
        "12,000 km", "12000元",
        "**12,000**", "`12000`", '"12000"', "12000.", "١٢٠٠٠", r"\$12{,}000",
        r"\boxed{12{,}000}", r"$\mathbf{12{,}000}$", "৳১২,০০০", "+12000", "(12000)", "012000",
        "12,000 (twelve thousand)",
    ],
    "100000": ["1,00,000", "₹1,00,000", "Rs. 1,00,000", "1 lakh", "10^5", "১,০০,০০০", "100 000"],
    "1.5": [
        "1 1/2", "1½", "1 ½", "3/2", "6/4", r"\frac{3}{2}", r"\dfrac32", r"1\frac{1}{2}", "1.50",
        "¹⁵⁄₁₀", "1 and 1/2", "١٫٥", "15e-1", "3⁄2", "1.5 m²", r"1.5\text{ cm}^{2}",
    ],
    "-0.5": ["−½", "-1/2", "–0.5", r"-\frac{1}{2}", r"\frac{-1}{2}", "-.5", "-$0.50", "$-0.5"],
    "1/3": ["2/6", r"\tfrac{1}{3}", "⅓", "1 / 3"],
    "50": ["50%", r"50\%", "50 percent", "50٪", "500‰", "50 Prozent", "50°", r"50^\circ"],
    "1024": ["2^10", "2^{10}", "2¹⁰", "2**10"],
    "0": ["-0", "0.0", "0/5"],
}  # fmt: skip

NO_NUMBER = [
    "", ".", "-", "eighteen", "NaN", "inf", "1,5", "0,500", "1.2.3", "1,2,3", "12,34", "(1, 5)",
    "8:30", "2 : 3", "2024-05-17", "17/5/2024", "5 or 6", "5 oder 6", "between 5 and 6", "5-10",
    "5 or more", "> 5", "≥ 5", r"\leq 5", "x = 5", "5x", "5 x", "x/2", "2π", r"2\pi", "√2",
    r"\sqrt{2}", r"3\sqrt2", "x^2", "2^x", "5 ± 2", r"5 \pm 2", "0x10", "10₂", "1/0",
    "0.333...", r"0.\overline{3}", "- 5", "--5", "5!", "not 5", "H2O", "GPT-4", "5 and a half",
    "3 lakh 5 thousand", "1e999999", "9^9^9^9", "9^{9^{9}}", "9" * 501, "1e-501", "0.1^9999",
    "<think>5", "<think>It is 5.</think>I cannot say.",
]  # fmt: skip

STATED = {
    "18": [
        "The answer is 18. (I double-checked step 3.)", "The answer to question 3 is 18",
        "The answer is 3 + 15 = 18.", r"Thus $\boxed{18}$, see step 3.", "Answer:\n18\n\n[3]",
        "**Answer:** $18 per 3 kg", "答案是18，共3步", "答えは18です。3回確認",
        "정답은 18입니다 (3)",
        "Ответ: 18 рублей за 3 штуки", "Die Antwort ist 18 (Schritt 3)", "উত্তর ১৮",
        "La réponse est donc 18, étape 3", "La respuesta es 18; 3 pasos", "Jibu ni 18 (hatua 3)",
        "సమాధానం 18 (3)", "คำตอบคือ 18 บาท 3", "الجواب هو ١٨ (٣)", "#### 18\n\nQuestion: 7",
        "The answer is 18.\n\nQ: and 3?\nA: The answer is 9.", "Question: 3 + 15?\nAnswer: 18",
        "So $18.\n\n[1]", "18 dollars [1].", "18 liters of H2O", "18 m^2", "It is 18, not 20.",
        '{"answer": 18}', "<answer>18</answer>", "<think>maybe 3</think>18", "3 × 6 = 18",
        "#### 1. Compute\n3 × 6 = 18", "10-18", "a 2x18 grid", "(3)-18", "- 3 apples\n- 18 pears",
    ],
    "-5": ["The answer is −5", "答案是-5。", "5 − 10 = −5", "x = - 5"],
    None: [
        "The answer is not 18.", "The answer is 5 or 6.", "5 or 6", "at 8:30", "the ratio is 2:3",
        "so 5x", "The answer is 18 dollars and 50 cents", "5 -10", r"\boxed{C}, option 3",
        "The result is - 5", "GPT-4", "no number", "x > 5",
    ],
}  # fmt: skip


@pytest.mark.parametrize("right", SPELLINGS)
def test_each_spelling_of_a_number_gives_one(right):
    assert {text: number(text) for text in SPELLINGS[right]} == dict.fromkeys(
        SPELLINGS[right], right
    )


@pytest.mark.parametrize("text", NO_NUMBER)
def test_what_is_no_single_number_is_none(text):
    assert number(text) is None


@pytest.mark.parametrize("right", STATED)
def test_the_stated_number_counts_else_the_last_one(right):
    assert {text: last_number(text) for text in STATED[right]} == dict.fromkeys(
        STATED[right], right
    )


def test_gsm8k_reads_the_first_hashes_and_no_other_number():
    assert gsm8k("3 + 4 = 7\n####\u00a0**$7.00** dollars\n\nQuestion: x\n#### 9") == "7"
    assert gsm8k("so it is 7") is None
    assert gsm8k("so it is 7", flexible=True) == "7"
    # lm-eval 0.4.9 reads 12596 here.
    assert gsm8k("#### 125,96", flexible=True) is None
    assert READERS["gsm8k"].reference("$<<3+4=7>>7\n#### 1,007") == "1007"
    assert READERS["gsm8k"].reference("about 7 of 9") is None


def test_a_convention_decides_and_nothing_else():
    assert (number("1.234"), number("1.234", decimal="comma")) == ("1.234", "1234")
    assert (number("1,234"), number("1,234", decimal="comma")) == ("1234", "1,234")
    assert (number("1,5"), number("1,5", decimal="comma")) == (None, "1,5")
    for text in ("1.234,5", "1.234.567,5", "1,234.5", "12.5", "1234.567"):
        assert number(text, decimal="comma") == number(text).replace(".", ",")
    assert number("12.5%", percent="fraction") == "0.125"
    assert number("5‰", percent="fraction") == "0.005"


@pytest.mark.parametrize("name", ["number", "last-number", "gsm8k"])
def test_numbers_from_json_are_exact_and_booleans_are_none(name):
    read = READERS[name].prediction
    assert [read(5), read(-0.1), read(1e300), read(10**20)] == [
        "5",
        "-0.1",
        f"1{'0' * 300}",
        f"1{'0' * 20}",
    ]
    assert [read(value) for value in (True, None, float("nan"), float("inf"), [5], {"a": 5})] == [
        None
    ] * 6


def test_a_tolerance_is_checked_whatever_came_before():
    assert same_number("1", "1", tolerance=1)
    with pytest.raises(UsageError, match="got True"):
        same_number("1", "1", tolerance=True)


def test_tolerances_are_exact():
    assert not same_number("0.3", "0.1")
    assert same_number("0.3", "0.2", tolerance=0.1)
    assert not same_number("0.30000000000000000000001", "0.2", tolerance=0.1)
    assert same_number("101", "100", relative=0.01)
    assert not same_number("102", "101", relative=0.0099)
    assert same_number("0,3", "1/3", tolerance=0.05, decimal="comma")
    for limits in (
        {"tolerance": -1},
        {"relative": float("nan")},
        {"tolerance": True},
        {"relative": "1"},
    ):
        with pytest.raises(UsageError, match="0 or more"):
            same_number("1", "1", **limits)
    with pytest.raises(UsageError, match="decimal"):
        number("1", decimal="Komma")
    with pytest.raises(UsageError, match="percent"):
        last_number("1", percent="sign")


def test_a_box_counts_with_its_braces_and_the_last_one():
    boxed = READERS["boxed"]
    text = r"\boxed{1} \fbox{2} $\boxed{\frac{\{3\}}{4}}$ \boxed{5"
    assert boxed.prediction(text) == r"\boxed{\frac{\{3\}}{4}}"
    assert boxed.prediction(r"\boxed{\boxed{3} + 4}") == r"\boxed{\boxed{3} + 4}"
    assert boxed.prediction(r"\boxed 7 is it") == r"\boxed{7}"
    assert boxed.prediction("7") is None
    assert boxed.reference(" C ") == boxed.prediction(r"\boxed{C}") == r"\boxed{C}"


VALUES = st.fractions(max_denominator=10**6) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=6
).map(Fraction)
ZEROS = [ord(zero) for zero in "0०০٠۰๐０𝟎𝟢᠐"]


@given(
    VALUES,
    st.sampled_from(ZEROS),
    st.sampled_from("-−–﹣－"),
    st.sampled_from(["", " km", "元", "$"]),
)
def test_a_number_is_read_in_any_digits(value, zero, minus, unit):
    digits = str(value).translate({ord("0") + i: chr(zero + i) for i in range(10)})
    assert Fraction(number(f"{digits.replace('-', minus)}{unit}")) == value


@given(
    st.integers(-(10**18), 10**18),
    st.sampled_from([",", " ", "\u202f", "'", "_", "{,}", r"\,"]),
    st.integers(0, 999),
)
def test_a_grouped_number_is_read(whole, mark, decimals):
    text = f"{whole:,}".replace(",", mark) + f".{decimals:03}"
    expected = abs(whole) + Fraction(decimals, 1000)
    assert Fraction(number(text)) == (-expected if whole < 0 else expected)
    assert last_number(f"The answer is {text}.") == number(text)


@given(VALUES, VALUES)
def test_different_numbers_are_never_equal(one, other):
    assert (number(str(one)) == number(str(other))) is (one == other)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_equals_its_scientific_spelling(value):
    if abs(value.adjusted()) < 400:
        expected = number(f"{value:E}")
        assert expected == number(f"{value:f}")
        assert Decimal(expected) == value


NASTY = st.text(st.sampled_from("01.,-−/ ½²^e×xabC%$()[]{}\\frac#:\n١万_'*"), max_size=24)


@given(NASTY, st.sampled_from(["point", "comma"]), st.sampled_from(["unit", "fraction"]))
def test_any_text_is_read_or_not_and_reads_as_itself(text, decimal, percent):
    for name in ("number", "last-number", "gsm8k"):
        read = READERS[name].prediction
        found = read(text, decimal=decimal, percent=percent)
        assert found is None or read(found, decimal=decimal, percent=percent) == found
