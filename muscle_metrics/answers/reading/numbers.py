"""Readers of numbers: the only one, the last one, and the one that GSM8K marks."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

from muscle_metrics.answers.reading import boxes
from muscle_metrics.answers.reading.blocks import without_reasoning
from muscle_metrics.answers.reading.boxes import last_box
from muscle_metrics.answers.reading.characters import in_ascii
from muscle_metrics.answers.reading.quantities import Quantities, spell
from muscle_metrics.answers.reading.reader import Reader
from muscle_metrics.errors import UsageError, check_choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from muscle_metrics.answers.reading.quantities import Quantity

__all__ = ["READERS", "gsm8k", "last_number", "number", "same_number"]

_CONVENTIONS = ("point", "comma")
_PERCENTS = ("unit", "fraction")
_LONGEST_WHOLE = 2000
_LONGEST_TAIL = 20_000
_NEAR = 8

_BEFORE = re.compile(r"[\s$\"'“”„«»‘’`*_(\[=]*")
_NO_UNITS = (
    "or and to than more less fewer at not if minus plus times but with without over per-se from "
    "until about maybe is was are no yes und oder bis mehr weniger nicht et ou pas moins plus y o "
    "menos más no e più и или не до x y z n i"
)
_UNIT = (
    rf"(?!(?:{'|'.join(sorted(set(_NO_UNITS.split())))})(?!\w))"
    r"[^\W\d_]{1,24}(?:\d[^\W\d_]{1,9}|\.|\^?\{?-?\d\}?)?"
)
_BEHIND = re.compile(
    rf"\s*[$%]?\s*(?:(?:[$€£¥₹¢°\"'%]|{_UNIT}|°[CF]?)(?:\s?[/·]\s?|\s)?){{0,4}}"
    r"(?:\s?\([^()\d]{1,40}\))?[\s$\"'“”„«»‘’`*_)\].。।,;:]*",
    re.IGNORECASE,
)

_NEXT_QUESTION = re.compile(
    r"\n\s{0,9}[*#]{0,4}\s?(?:question|q|problem|exercise|task|human|user|instruction|input|frage"
    r"|aufgabe|pregunta|problema|domanda|pergunta|вопрос|задача|swali|问题|問題|题目|質問|প্রশ্ন"
    r"|ప్రశ్న|โจทย์|คำถาม|سؤال|السؤال|प्रश्न|질문|문제|câu hỏi|soru|pytanie)"
    r"\s?\d{0,4}\s?[*]{0,2}\s?[:：]"
    r"|<\|(?:im_end|endoftext|eot_id|end_of_text|im_start|end)\|>|</s>|<eos>|<end_of_turn>",
    re.IGNORECASE,
)

_ANSWER = (
    r"(?<![a-z])(?:answer|antwort|réponse|reponse|respuesta|resposta|risposta"
    r"|antwoord|svaret?|odpowiedź|odpověď|válasz|răspuns|vastaus|cevap|yanıt|jibu|jawaban)"
    r"(?![a-z])|\b(?:ответ|відповідь|απάντηση|đáp án|câu trả lời|trả lời)\b"
    r"|答案|答え|回答|解答|答|정답|답|উত্তর|জবাব|उत्तर|సమాధానం|జవాబు|คำตอบ|ตอบ|الإجابة|الجواب|جواب|پاسخ"
    r"|תשובה|התשובה|பதில்|ഉത്തരം|જવાબ|ਜਵਾਬ"
)
_GAP = (
    r"(?:[ \t*:：=_\"'$>]{0,9}\n\s{0,9}|(?:[^\d.!?\n。！？।]|\.(?=\d)){0,80}?)"
    r"(?=[-+$(\[*]{0,6}\.?[\d\\])"
)
_STATED = re.compile(rf"(?P<word>{_ANSWER})(?P<gap>{_GAP})", re.IGNORECASE)
_SAYS = re.compile(
    r"[:：=]|\b(?:is|are|was|be|equals|ist|beträgt|lautet|est|es|son|é|è|sono|är|er|ni|adalah|là"
    r"|jest|este)\b",
    re.IGNORECASE,
)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_HASHES = re.compile(r"####[^\S\n]*([^\n]{0,500})")
_EQUALS = re.compile(r"\s?\w{0,12}\s?[=≈]\s?")
_MORE = re.compile(
    r"\s?(?:[^\W\d]{0,20},?\s?(?:and|or|to|und|oder|bis|et|ou|y|o|и|или|或|和|至|または)\s\s?|[-+*/÷×x·~^,]\s?)\W{0,2}",
    re.IGNORECASE,
)


_Stated: TypeAlias = "tuple[Quantity, Iterator[Quantity]]"


def number(value: object, *, decimal: str = "point", percent: str = "unit") -> str | None:
    """Read an answer that is one number, with or without a unit.

    Parameters
    ----------
    value : object
        A text, or a number from JSON. A boolean is no number, nor are nan and infinity.
    decimal : {"point", "comma"}
        How "1.234" and "1,234" are read, which are a decimal in one convention and thousands in
        the other. What only one convention allows is read in both (1.234,5; 12.5), except for a
        comma under "point": "1,5" may be two numbers.
    percent : {"unit", "fraction"}
        Whether "50%" is 50, like any number with a unit, or 1/2.

    Returns
    -------
    str or None
        An integer, a decimal if it ends, else a fraction. None for anything else than one number,
        and for a number of more than 500 digits.

    Raises
    ------
    UsageError
        If an option has another value.

    Examples
    --------
    >>> number("$1,234.50"), number("1 ½ km"), number("5 or 6")
    ('1234.5', '1.5', None)
    """
    _check(decimal, percent)
    found = _of_json(value, decimal)
    if isinstance(value, str):
        text = without_reasoning(value)
        found = None if text is None else _whole(text, decimal, percent)
    return None if found is None else spell(found, decimal=decimal)


def last_number(value: object, *, decimal: str = "point", percent: str = "unit") -> str | None:
    r"""Read the number that an answer states, else its last number.

    A number is stated in ``\boxed{...}``, behind ``####`` or in "the answer is 5", also in other
    languages; the last statement counts. Nothing is read of a reasoning block, of a next question
    that the model asks itself, nor more than 20 000 characters before the end. Options as in
    `number`.

    Examples
    --------
    >>> last_number("The answer is 18. I checked step 3."), last_number("3 + 4 = 7")
    ('18', '7')
    """
    _check(decimal, percent)
    found = _of_json(value, decimal)
    if isinstance(value, str):
        text = _own_text(value)
        found = None if text is None else _last(text, decimal, percent)
    return None if found is None else spell(found, decimal=decimal)


def gsm8k(
    value: object, *, flexible: bool = False, decimal: str = "point", percent: str = "unit"
) -> str | None:
    r"""Read the number behind the first ``####``, as the strict match of lm-eval does.

    An answer that is nothing but a number needs no ``####``, so that a reference reads as itself.

    Parameters
    ----------
    value : object
        As in `number`.
    flexible : bool
        Whether an answer without ``####`` is read as `last_number` reads it. lm-eval's
        flexible-extract takes the last number always.
    decimal, percent : str
        As in `number`.

    Examples
    --------
    >>> gsm8k("3 + 4 = 7\n#### 7"), gsm8k("3 + 4 = 7"), gsm8k("3 + 4 = 7", flexible=True)
    ('7', None, '7')
    """
    _check(decimal, percent)
    found = _of_json(value, decimal)
    text = _own_text(value) if isinstance(value, str) else None
    if text is not None:
        marked = _HASHES.search(text)
        if marked:
            found = _whole(marked[1], decimal, percent)
        else:
            found = _whole(text, decimal, percent)
            if found is None and flexible:
                found = _last(text, decimal, percent)
    return None if found is None else spell(found, decimal=decimal)


def _of_gsm8k(value: object, *, decimal: str = "point", percent: str = "unit") -> str | None:
    return gsm8k(value, decimal=decimal, percent=percent)


def same_number(
    prediction: str,
    reference: str,
    *,
    tolerance: float = 0,
    relative: float = 0,
    decimal: str = "point",
) -> bool:
    """Whether two numbers differ by no more than a tolerance, in exact arithmetic.

    Parameters
    ----------
    prediction, reference : str
        Numbers as a reader of numbers spells them.
    tolerance : float
        Largest difference, 0 or more.
    relative : float
        Largest difference as a share of the reference; the larger of both limits holds.
    decimal : {"point", "comma"}
        As they were read.

    Raises
    ------
    UsageError
        If a limit is negative or no number.

    Examples
    --------
    >>> same_number("3.1416", "3.14159", tolerance=1e-4), same_number("3.15", "3.14159")
    (True, False)
    """
    limits = _limit("tolerance", tolerance), _limit("relative", relative)
    if prediction == reference or not any(limits):
        return prediction == reference
    given, right = (_whole(text, decimal, "unit") for text in (prediction, reference))
    if given is None or right is None:
        return False
    return abs(given - right) <= max(limits[0], limits[1] * abs(right))


@lru_cache(maxsize=64, typed=True)
def _limit(name: str, value: float) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise UsageError(
            f"expected {name} of an answer reader to be a number that is 0 or more, got {value!r}: "
            f"use --answer 'number({name}=1e-6)' (answer=)"
        )
    # The decimal that was written, not its nearest float: 0.1 is a tenth.
    return Fraction(Decimal(repr(float(value))))


def _check(decimal: str, percent: str) -> None:
    if decimal not in _CONVENTIONS:
        check_choice("decimal", decimal, _CONVENTIONS)
    if percent not in _PERCENTS:
        check_choice("percent", percent, _PERCENTS)


def _of_json(value: object, decimal: str) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return Fraction(value)
    # float() for the subclass of numpy, whose repr names its type.
    return Fraction(Decimal(repr(float(value)))) if math.isfinite(value) else None


def _own_text(value: str) -> str | None:
    """Text outside reasoning, up to the next question that the model asks itself."""
    text = without_reasoning(value)
    if text is None:
        return None
    text = text.lstrip()
    runaway = _NEXT_QUESTION.search(text)
    # An answer may begin by repeating its own question.
    if runaway and any(character.isdecimal() for character in text[: runaway.start()]):
        text = text[: runaway.start()]
    return text


def _whole(text: str, decimal: str, percent: str) -> Fraction | None:
    """Value of a text that is one number."""
    text = text.strip()
    if not text or len(text) > _LONGEST_WHOLE:
        return None
    text = in_ascii(text, decimal=decimal)
    found: Quantity | None = None
    for quantity in Quantities(text, decimal=decimal, percent=percent):
        if found is not None:
            return None
        found = quantity
    if found is None or found.value is None or not _BEFORE.fullmatch(text, 0, found.start):
        return None
    # "- 5" is a bullet or a minus.
    is_unclear = found.value > 0 and text[found.start] == "-"
    return None if is_unclear or not _BEHIND.fullmatch(text, found.end) else found.value


def _last(text: str, decimal: str, percent: str) -> Fraction | None:
    if len(text) > _LONGEST_TAIL:
        # The first word may be the end of a number.
        text = text[-_LONGEST_TAIL:].partition(" ")[2]
    box = last_box(text)
    plain = in_ascii(text, decimal=decimal)
    quantities = Quantities(plain, decimal=decimal, percent=percent)
    if not quantities:
        return None
    stated = _stated(plain, quantities)
    place = -1 if stated is None else stated[0].start
    if box is not None and place < len(plain) - len(in_ascii(text[box.end :], decimal=decimal)):
        return _whole(box, decimal, percent)
    for marked in reversed(list(_HASHES.finditer(plain, place + 1))):
        value = _whole(marked[1], decimal, percent)
        # Else a heading of Markdown.
        if value is not None:
            return value
    if stated is not None:
        return _settled(plain, *stated)
    kept = (one for one in reversed(quantities) if not one.is_citation)
    return next(chain(kept, reversed(quantities))).value


def _stated(text: str, quantities: Quantities) -> _Stated | None:
    """Find the number behind the last "the answer is", and those that follow it."""
    for marker in reversed(list(_STATED.finditer(text))):
        gap = marker["gap"]
        if _LATIN.search(gap) and not _SAYS.search(gap):
            continue
        found = quantities.behind(marker.end(), near=_NEAR)
        if found is not None:
            return found
    return None


def _settled(text: str, first: Quantity, following: Iterable[Quantity]) -> Fraction | None:
    """Value of the first number, or of what it is said to equal; None if it is one of several."""
    settled, is_term = first, False
    for further in following:
        between = text[settled.end : further.start]
        if _EQUALS.fullmatch(between):
            settled, is_term = further, False
        elif "," not in between and (not between.strip(" ") or _MORE.fullmatch(between)):
            settled, is_term = further, True
        else:
            is_term = is_term or bool(_MORE.fullmatch(between))
            break
    return None if is_term else settled.value


READERS: Final = (
    Reader(
        name="number",
        does="the one number that an answer is, of any script and spelling, with or without a unit",
        prediction=number,
        reference=number,
        same=same_number,
    ),
    Reader(
        name="last-number",
        does="the number that an answer states (boxed, ####, answer is), else its last one",
        prediction=last_number,
        reference=_of_gsm8k,
        same=same_number,
    ),
    Reader(
        name="gsm8k",
        does="the number behind the first ####; flexible=true reads last-number without one",
        prediction=gsm8k,
        reference=_of_gsm8k,
        same=same_number,
    ),
    *boxes.READERS,
)
