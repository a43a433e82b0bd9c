"""What describes an item: its fields, its prompt, and the forms of its answers."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers.forms import BREAKS, FORMS, SAME_FORM, Look, break_of, looks_of
from muscle_metrics.comparison.columns import labels_of
from muscle_metrics.scorers.unread import kinds_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.listed import ItemTexts

    Floats = NDArray[np.float64]

__all__ = ["Facet", "answer_facets", "first_words", "item_facets", "script_of"]

# References of more distinct values are open: they name items, and no kinds of items.
_MOST_REFERENCES = 20
# A field with more distinct numbers than this is cut at its quantiles.
_MOST_NUMBERS = 12
# Characters that tell the script: a prompt may be megabytes long.
_SAMPLED = 4000
_LONGEST_WORD = 30
_UNSPACED = 2
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_FORM_TITLES = {form.name: form.title for form in FORMS if form.name in ("code_fence", "json")}
_FAULTS = {form.name for form in FORMS if form.is_fault}
_CHANGES = {one.name: one.did for one in BREAKS}

# Names of letters start with their script; these do not.
_SCRIPTS = {"CJK": "Han", "IDEOGRAPHIC": "Han", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
_NO_SCRIPTS = frozenset(
    {"MODIFIER", "MATHEMATICAL", "FULLWIDTH", "HALFWIDTH", "SUPERSCRIPT", "SUBSCRIPT", "FEMININE"}
    | {"MASCULINE", "ANGSTROM", "KELVIN", "OHM", "MICRO"}
)
# Japanese is written in kana and Han together.
_LEAST_KANA = 0.1


class Facet(NamedTuple):
    """One description of all items.

    Parameters
    ----------
    name : str
        What it is, such as "slice" or "length of the prompt".
    values : sequence or numpy.ndarray of float, shape (N,)
        Labels, None for none; or numbers, nan for none.
    of_answer : bool
        Whether answers have it, rather than the item.
    quotes : bool
        Whether its labels quote a prompt or a reference.
    verb : str
        Word between the name and a label.
    """

    name: str
    values: Sequence[Hashable | None] | Floats
    of_answer: bool = False
    quotes: bool = False
    verb: str = "is"


def item_facets(
    comparison: Comparison,
    texts: Sequence[ItemTexts],
    fields: Mapping[str, Mapping[str, object]],
) -> list[Facet]:
    """Describe items by what was known before a model answered.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    texts : sequence of ItemTexts, shape (N,)
        Texts of the logs, for questions.
    fields : mapping of str to mapping of str to object
        Further fields: a value by the name of each item.
    """
    table = comparison.table
    facets = [
        Facet("task", table.tasks),
        Facet("slice", table.slices),
        Facet("repeat", table.repeats),
    ]
    names = [item.name for item in comparison.items()] if fields else []
    facets += [
        _field_facet(name, [known.get(item) for item in names]) for name, known in fields.items()
    ]
    if references := _references(table.references):
        facets.append(Facet("reference", references, quotes=True))
    prompts = _prompts(table.asked, texts)
    if any(prompt is not None for prompt in prompts):
        facets += _prompt_facets(prompts)
    return facets


def answer_facets(comparison: Comparison, texts: Sequence[ItemTexts]) -> list[Facet]:
    """Describe items by the forms of both answers; of logs, of whole responses.

    Parameters
    ----------
    comparison : Comparison
        Old against new; its answers are known.
    texts : sequence of ItemTexts, shape (N,)
        Texts of the logs, for responses.
    """
    table = comparison.table
    looks = (
        _looks(table.old, [one.old_response for one in texts]),
        _looks(table.new, [one.new_response for one in texts]),
    )
    changes = [break_of(*pair) for pair in zip(*looks, strict=True)]
    changed = [None if one == SAME_FORM else _CHANGES[one] for one in changes]
    # Of one run alone a form is no facet: an answer that says nothing is wrong, so all that broke
    # had an answer before, and nearly all items would be a slice.
    both = [
        _FORM_TITLES.get(before.form) if before.form == after.form else None
        for before, after in zip(*looks, strict=True)
    ]
    markers = [["absent", "present"][look.has_marker] for look in looks[1]]
    return [
        Facet("new answer", changed, True, verb=""),
        Facet("form of both answers", both, True),
        Facet("final marker of new", markers, True),
    ]


def script_of(text: str) -> str | None:
    """Script of most letters of a text, by their Unicode names; None without letters.

    Examples
    --------
    >>> [script_of(text) for text in ("Wie viel ist π?", "Сколько?", "いくつですか", "5?")]
    ['Latin', 'Cyrillic', 'Japanese', None]
    """
    text = text[:_SAMPLED]
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else None
    found: Counter[str] = Counter()
    for character, count in Counter(text).items():
        script = _script(character)
        if script is not None:
            found[script] += count
    if found["Japanese"] > _LEAST_KANA * (found["Han"] + found["Japanese"]):
        found["Japanese"] += found.pop("Han", 0)
    most = found.most_common(1)
    return most[0][0] if most and most[0][1] else None


def first_words(text: str, number: int) -> str | None:
    """First words of a text in lower case; first characters of a script without spaces.

    Examples
    --------
    >>> first_words("**What's** the sum?", 2), first_words("请问，北京", 1), first_words("?", 1)
    ("what's the", '请问', None)
    """
    start = text[: (number + 1) * 4 * _LONGEST_WORD]
    words: list[str] = []
    for match in _WORD.finditer(start):
        word = match[0]
        if kinds_of(word[0]) == "s":
            word = word[:_UNSPACED]
        words.append(word[:_LONGEST_WORD].lower())
        if len(words) == number:
            break
    return " ".join(words) if len(words) == number else None


@lru_cache(1 << 14)
def _script(character: str) -> str | None:
    if not character.isalpha():
        return None
    for word in re.split(r"[ -]", unicodedata.name(character, "")):
        if word in _SCRIPTS:
            return _SCRIPTS[word]
        if word and word not in _NO_SCRIPTS:
            return word.capitalize()
    return None


def _prompt_facets(prompts: Sequence[str | None]) -> Iterator[Facet]:
    yield Facet("length of prompt", _lengths(prompts))
    yield Facet("script of prompt", [p and script_of(p) for p in prompts])
    for number, name in enumerate(("first word", "first two words", "first three words"), 1):
        words = [prompt and first_words(prompt, number) for prompt in prompts]
        verb = "is" if number == 1 else "are"
        yield Facet(f"{name} of prompt", words, quotes=True, verb=verb)


def _field_facet(name: str, values: list[object]) -> Facet:
    """Facet of numbers if there are many, else of labels."""
    labels = labels_of(values)
    numbers = [_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    given = sum(label is not None for label in labels)
    if len(known) == given and len(set(known)) > _MOST_NUMBERS:
        return Facet(name, np.array([np.nan if n is None else n for n in numbers]))
    return Facet(name, labels)


def _number(value: object) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _references(references: Sequence[Any]) -> list[str | None]:
    """Give references as labels where they are a closed set; empty otherwise."""
    values = [None if isinstance(one, list | tuple) else one for one in references]
    labels = [None if value is None else str(value) for value in values]
    distinct = set(labels) - {None}
    return labels if 1 < len(distinct) <= _MOST_REFERENCES else []


def _prompts(asked: Sequence[str | None] | None, texts: Sequence[ItemTexts]) -> list[str | None]:
    known = asked or [None] * len(texts)
    return [_first(prompt, one.question) for prompt, one in zip(known, texts, strict=True)]


def _looks(answers: Sequence[Any], responses: Sequence[str | None]) -> list[Look]:
    """See the forms of responses, and those of answers where no filter found anything."""
    pairs = zip(looks_of(answers), looks_of(responses), responses, strict=True)
    return [
        answer if response is None or answer.form in _FAULTS else whole
        for answer, whole, response in pairs
    ]


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one


def _lengths(texts: Sequence[Any]) -> Floats:
    return np.array([len(t) if isinstance(t, str) else np.nan for t in texts], dtype=np.float64)
