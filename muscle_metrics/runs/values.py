"""Values of a row, checked by use: an id, an answer, a reference, a score or a label.

Each function returns the value a Record holds, or raises an InputError that names the field;
the reader of the file adds the place.
"""

from __future__ import annotations

import json
import math

from muscle_metrics.answers.reading.options import option_letters
from muscle_metrics.answers.scores import LARGEST_SCORE, is_score
from muscle_metrics.errors import InputError
from muscle_metrics.runs.sentinels import NO_SENTINELS, Sentinels, number_of_text
from muscle_metrics.words.place import describe, show

__all__ = [
    "answer_of",
    "any_prediction_of",
    "any_reference_of",
    "choices_of",
    "id_of",
    "label_of",
    "plain_score_of",
    "prediction_of",
    "reference_of",
    "score_of",
    "text_of",
    "written_prediction_of",
]

_WORDS = {"True": True, "true": True, "False": False, "false": False}


def text_of(value: object) -> str | None:
    """Text of a scalar as JSON writes it; None where there is none.

    Examples
    --------
    >>> text_of("007"), text_of(7), text_of(7.0), text_of(True), text_of([7])
    ('007', '7', '7.0', 'true', None)
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    return None


def id_of(value: object, field: str) -> str:
    """Text of an id: text, which stays as it is, or a number.

    Raises
    ------
    InputError
        If the value is empty, true, false, null, not finite or nested.
    """
    text = None if isinstance(value, bool) else text_of(value)
    if not text:
        raise _refusal("text or a number as id", value, field)
    return text


def label_of(value: object, field: str) -> str | None:
    """Text of a slice, group or prompt; None where the file holds null.

    Raises
    ------
    InputError
        If the value is not finite or nested.
    """
    return text_of(answer_of(value, field))


def answer_of(value: object, field: str) -> object:
    """Return a prediction: text, a finite number, true or false, or null for no answer.

    Raises
    ------
    InputError
        If the value is not finite or nested.
    """
    if isinstance(value, str) or value is None or text_of(value) is not None:
        return value
    raise _refusal("text, a number, true, false or null", value, field)


def prediction_of(value: object, field: str, *, takes_key: bool = True) -> object:
    """Return the prediction of a row of a plain file, as `answer_of`.

    `takes_key` says whether a function could turn it into an answer here; engines take none.

    Raises
    ------
    InputError
        If the value is not finite or nested; the error names ways to an answer.
    """
    if not isinstance(value, list | dict):
        return answer_of(value, field)
    inner = (
        [name for name, one in value.items() if text_of(one) is not None]
        if isinstance(value, dict)
        else []
    )
    ways = [f"name a field inside with --prediction-field {field}.{inner[0]}"] if inner else []
    ways.append("read it with --answer json or --answer tool-calls (structured=True and answer=)")
    function = "turn it into text with a function and --key (structured=True and key=)"
    ways.append(function if takes_key else f"leave out --engine and {function}")
    raise InputError(
        f"expected text, a number, true, false or null in the field {show(field)}, got "
        f"{describe(value)}: {', or '.join(ways)}"
    )


def any_prediction_of(value: object, field: str) -> object:
    """Return a prediction that a function will turn into an answer: also a list or an object.

    Raises
    ------
    InputError
        If the value is not finite.
    """
    return value if isinstance(value, list | dict) else answer_of(value, field)


def written_prediction_of(value: object, field: str) -> object:
    """Return a prediction as `any_prediction_of`, but a list or an object as its JSON.

    Engines keep answers as text. Readers of answers read the same text from a list or an object.

    Raises
    ------
    InputError
        If the value is not finite.
    """
    return _written(value) if isinstance(value, list | dict) else answer_of(value, field)


def any_reference_of(value: object, field: str) -> object:
    """Return a reference that a function or reader takes: also an object, as its JSON.

    A list of text, numbers and truth values holds accepted answers, as everywhere; so does a list
    of lists. A list with objects is one answer, such as the calls of tools that are expected.

    Raises
    ------
    InputError
        If the value is not finite.

    Examples
    --------
    >>> any_reference_of({"b": 1, "a": []}, "gold"), any_reference_of([{"name": "f"}], "gold")
    ('{"a": [], "b": 1}', '[{"name": "f"}]')
    >>> any_reference_of(["A", "B"], "gold"), any_reference_of([[1, 2], [2, 1]], "gold")
    (['A', 'B'], ['[1, 2]', '[2, 1]'])
    """
    if isinstance(value, dict):
        return _written(value)
    if isinstance(value, list) and any(isinstance(one, list | dict) for one in value):
        is_each_list = all(isinstance(one, list) for one in value)
        return [*map(_written, value)] if is_each_list else _written(value)
    return reference_of(value, field)


def _written(value: object) -> str:
    """JSON of a value as readers of answers write it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def reference_of(value: object, field: str) -> object:
    """Return a reference: as an answer, or a list of accepted answers.

    Raises
    ------
    InputError
        If the value is not finite, or holds anything but scalars.
    """
    if not isinstance(value, list):
        return answer_of(value, field)
    for answer in value:
        if text_of(answer) is None:
            raise _refusal("a list of text, numbers, true and false", answer, field)
    return value


def choices_of(value: object, field: str) -> str:
    """Letters of the options of an item, of which there are 1 to 26.

    Raises
    ------
    InputError
        If the value does not say them.
    """
    letters = option_letters(value)
    if letters is None:
        raise InputError(
            f"expected the 1 to 26 options of an item in the field {show(field)}: a list of texts, "
            f"an object keyed by letters, a number, or letters such as 'ABCD', got "
            f"{describe(value)}: name another field with --choices-field (choices_field=), or give "
            f"the letters of all items with --answer 'letter(choices=ABCD)'"
        )
    return letters


def score_of(value: object, field: str) -> float | None:
    """Return a score of a log: a number that `is_score`, or true or false; None if null.

    Raises
    ------
    InputError
        If the value is anything else: the text ``"False"`` would count as true.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and is_score(value):
        return float(value)
    raise _no_score(value, value, field, "correct it, or name another field")


def plain_score_of(value: object, field: str, missing: Sentinels = NO_SENTINELS) -> float | None:
    """Return a score of a plain row, in every format; None if null, empty or `missing`.

    A text that spells a number, or true or false, is that score: CSV has nothing but texts, and
    tools quote numbers in JSON too.

    Raises
    ------
    InputError
        If the value is anything else.

    Examples
    --------
    >>> [plain_score_of(value, "score") for value in ("0.5", 3, "False", True, "", None)]
    [0.5, 3.0, False, True, None, None]
    """
    if value is None or isinstance(value, bool):
        return value
    if value == "" or (missing and missing.matches(value)):
        return None
    listed = missing.of_list(value) if missing else None
    if listed is not None:
        return listed
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    number = number_of_text(value) if isinstance(value, str) else value
    if isinstance(number, int | float) and is_score(number):
        return float(number)
    if missing.lists is None and Sentinels(lists="all").of_list(value) is not None:
        raise _refusal(
            "a finite number, true or false as score",
            value,
            field,
            "score a list of true and false with --list-score all, or by its share of true with "
            "--list-score share (list_score=)",
        )
    raise _no_score(
        value,
        number,
        field,
        "correct it, name another field, or declare it no score with --missing-score VALUE "
        "(missing_score=)",
    )


def _no_score(value: object, number: object, field: str, advice: str) -> InputError:
    """Error for a value that is no score; `number` is the value, or the one that it spells."""
    is_too_large = isinstance(number, int | float) and LARGEST_SCORE < abs(number) < math.inf
    largest = f"a number of at most {LARGEST_SCORE:g} in size"
    wanted = largest if is_too_large else "a finite number"
    return _refusal(f"{wanted}, true or false as score", value, field, advice)


def _refusal(
    expected: str,
    value: object,
    field: str,
    advice: str = "correct it, or name another field",
) -> InputError:
    return InputError(
        f"expected {expected} in the field {show(field)}, got {describe(value)}: {advice}"
    )
