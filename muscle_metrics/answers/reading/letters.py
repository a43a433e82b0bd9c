"""The letter of a multiple-choice answer, or the letters of a selection of several.

Every pattern is linear: repeats are bounded or cannot give back what they took.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from muscle_metrics.answers.reading.alphabets import letter_names
from muscle_metrics.answers.reading.markers import (
    ANSWER,
    CHOOSE,
    GAP,
    LINK,
    NEXT_QUESTION,
    OPTION,
    Places,
)
from muscle_metrics.answers.reading.reader import Reader
from muscle_metrics.answers.reading.standing import (
    CLOSING,
    JOINED,
    NEGATION,
    OPENING,
    Found,
    options_of,
)
from muscle_metrics.errors import UsageError, check_choice

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READERS", "Take", "read_letter", "read_letters", "read_reference"]

Take: TypeAlias = Literal["last", "first"]

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]+")
# Before a marker: the answer is denied, supposed, or somebody else's.
_DENIED = re.compile(
    r"(?:(?<![^\W_])(?i:wrong|incorrect|false|bad|initial|first|previous|original|old|earlier|"
    r"student's|not the|not an?|no|isn't the|falsche|incorrecta|mauvaise|sbagliata|errada|"
    r"неправильный|неверный|salah)(?:\s+(?i:final|correct|right))?\s*|"
    r"(?<![^\W_])(?i:if|whether|unless|assuming|suppose)(?:\s+\w{1,12}){0,2}\s+|错误|錯誤)[*_]{0,3}$"
)
_NOT_BUT = (
    r"(?:(?:not|nicht|no|pas|non|não)\s[(]?{letter}[)]?,?\s(?:but|sondern|sino|mais|ma|mas)"
    r"(?![^\W_])"
    r"|不是\s?[(（]?{letter}[)）]?[，,]?\s?而是)"
)
_IS_OPTION = re.compile(OPTION)
_LINE_END = re.compile(rf"{CLOSING}{{0,12}}+[.。]?{CLOSING}{{0,12}}+[^\S\n]*+(?:\n|\Z)")
_LINE_START = re.compile(r"(?:\A|\n)[\s>#*_`\"'{(\[\-–•\d.|]{0,20}\Z")
_SENTENCE_END = re.compile(r"[.\n。!?]\s")
_LONE = re.compile(r"(?:^|\s)[A-Za-z]\s\Z")
_COMMAS = frozenset(",;，；")
_CLAUSE_END = re.compile("[.,;，；]")
_LISTED = re.compile(r"(?<![^\W_])[A-Za-z][)\]）*\s]{0,6}\Z")
_PRAISE = re.compile(
    rf"{CLOSING}{{0,6}}+\s{{0,9}}(?:(?<![^\W_])"
    r"(?:is|ist|es|est|è|é|является|là|adalah|ni)(?![^\W_])|选?项?是?|为|が|は|는|은|[이가]|—)\s{0,9}"
    r"(?:(?:the|la|le|die|a|o|most|clearly|indeed|therefore|thus|definitely|yang|bonne|mejor|"
    r"melhor|migliore|giusta|最)\s{0,9}){0,3}(?:correct|right|best|answer|richtig|respuesta|réponse|"
    r"risposta|resposta|antwort|correct[aoe]|corretta|válida|esatta|ответ|правильный|верный|đáp án|"
    r"jawaban|benar|jibu|正确|正確|答案|正解|答え|정답)"
    rf"|{CLOSING}{{0,6}}+\s(?:is|seems|appears)(?:\sto\sbe)?\sthe\smost\s"
    r"(?:plausible|likely|probable|appropriate|accurate|reasonable|suitable)(?![^\W_])"
)


def read_letter(
    value: Any, *, choices: str | None = None, take: Take = "last", index: int | None = None
) -> str | None:
    r"""Read the letter of the option that an answer chooses.

    The letter is looked for in this order: behind words that announce an answer, in the languages
    of multilingual benchmarks, or in ``\boxed``; alone on the last line; at the very beginning, as
    in "C) Paris"; behind words that choose, such as "so it is"; in brackets at the very end. Lower
    case counts behind such words, before a bracket, and where it is the whole text. Two letters,
    denied letters, and letters beyond the options are no answers; nor are articles and pronouns. A
    next question that the model made up, and what follows it, is not read.

    Parameters
    ----------
    value : object
        The answer; anything but text holds no letter.
    choices : str, optional
        Letters of the options, such as "ABCD" or "АБВГ"; default A to Z.
    take : {"last", "first"}
        Which announced answer counts, if there are several.
    index : int, optional
        Number of the first option where references are numbers; see `read_reference`.

    Returns
    -------
    str or None
        One of the choices, or None where there is no single letter.

    Raises
    ------
    UsageError
        If an option is wrong.

    References
    ----------
    simple-evals, `common.py` (OpenAI 2024); MMLU-Pro, `compute_accuracy.py` (Wang et al. 2024,
    arXiv 2406.01574).

    Examples
    --------
    >>> read_letter("It cannot be (A). The answer is **B**, because A dog barks.")
    'B'
    >>> read_letter("答案：Ｃ"), read_letter("الإجابة: ب"), read_letter("Réponse : (d)")
    ('C', 'B', 'D')
    >>> read_letter("A or B"), read_letter("The answer is not (A)."), read_letter("Vitamin C")
    (None, None, None)
    """
    found = _read(value, choices, take, index)
    return found if found and len(found) == 1 else None


def read_letters(
    value: Any, *, choices: str | None = None, take: Take = "last", index: int | None = None
) -> str | None:
    """Read the letters of all options that an answer selects, in the order of the options.

    The selection is looked for as by `read_letter`. "A or B" is no selection.

    Parameters
    ----------
    value : object
        The answer; anything but text holds no letter.
    choices, take, index
        As in `read_letter`. Without choices, letters that are written together are read from A to J
        in alphabetical order only, since words look like others.

    Returns
    -------
    str or None
        Letters without a gap, each once; or None.

    Raises
    ------
    UsageError
        If an option is wrong.

    Examples
    --------
    >>> read_letters("Answer: D, A and C"), read_letters("ACD"), read_letters("(B)")
    ('ACD', 'ACD', 'B')
    >>> read_letters("Answer: A or B") is None
    True
    """
    return _read(value, choices, take, index, several=True)


def read_reference(
    value: Any,
    *,
    choices: str | None = None,
    take: Take = "last",
    index: int | None = None,
    several: bool = False,
) -> str | None:
    """Read the letter of a reference, which holds one and perhaps the text of its option.

    Parameters
    ----------
    value : object
        Text such as "C", "(c)", "C. Paris" or "Answer: C"; with `index` also a number.
    choices, take
        As in `read_letter`.
    index : int, optional
        Number of the first option, 0 or 1, where references are numbers: 2 is then C, or B.
    several : bool
        Whether a reference may name several letters.

    Returns
    -------
    str or None
        The letter, or letters; None where there is none, or more than is read.

    Raises
    ------
    UsageError
        If an option is wrong.

    Examples
    --------
    >>> read_reference("C. Paris"), read_reference(2, index=0), read_reference("2", index=1)
    ('C', 'C', 'B')
    >>> read_reference("A, C") is None, read_reference("A, C", several=True)
    (True, 'AC')
    """
    patterns = _checked(choices, take, index)
    if index is not None and (number := _number(value)) is not None:
        letters = patterns.options.order
        return letters[number - index] if 0 <= number - index < len(letters) else None
    if not isinstance(value, str):
        return None
    text = _clean(value)
    announced = {found for _, found in patterns.announced(text, Places.of(text))}
    if len(announced) > 1:
        return None
    found = announced.pop() if announced else patterns.head(text)
    return patterns.options.spell(found, several=several)


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,3}\s*", value):
        return int(value)
    return None


def _clean(text: str) -> str:
    return text if text.isascii() else _UNSEEN.sub("", text)


def _checked(choices: str | None, take: Take, index: int | None) -> _Signs:
    if take not in get_args(Take):
        check_choice("take", take, get_args(Take))
    if index not in (None, 0, 1):
        raise UsageError(
            f"expected index of letter or letters to be 0 or 1, got {index!r}: give the number of "
            f"the first option, as in letter(index=0)"
        )
    return _patterns(choices)


def _read(
    value: Any, choices: str | None, take: Take, index: int | None, *, several: bool = False
) -> str | None:
    patterns = _checked(choices, take, index)
    if not isinstance(value, str):
        return None
    text = _clean(value)
    made_up = NEXT_QUESTION.search(text)
    found = None
    if made_up and text[: made_up.start()].strip():
        found = patterns.find(text[: made_up.start()], take)
    if found is None:
        found = patterns.find(text, take)
    return patterns.options.spell(found, several=several)


@lru_cache(64)
def _patterns(choices: str | None) -> _Signs:
    return _Signs(choices)


class _Signs:
    """Signs of an answer in a text, the strongest first."""

    def __init__(self, choices: str | None) -> None:
        self.options = options_of(choices)
        letter = self.options.pattern
        bare = letter.replace("?P<x>", "?:")
        between = rf"(?:{GAP}|{LINK}|{OPTION}|{_NOT_BUT.format(letter=bare)}){{0,16}}+"
        self._announced = re.compile(rf"(?P<noun>{ANSWER})(?P<gap>{between}){letter}")
        self._chosen = re.compile(rf"(?P<noun>{CHOOSE})(?P<gap>{between}){letter}")
        self._named = re.compile(
            rf"(?P<noun>{ANSWER})(?P<gap>(?:{GAP}|{LINK}){{1,16}}+[^\n.()（）]{{1,80}})"
            rf"[(（]{letter}[)）](?=[\s*_]{{0,9}}(?:[.。!\n]|\Z))"
        )
        self._opening = re.compile(rf"{OPENING}{{0,40}}+(?:{OPTION})?{OPENING}{{0,8}}+{letter}")
        self._ending = re.compile(
            rf"(?:(?<![^\W_])[(（\[]{letter}[)）\]]|(?:{OPTION}){OPENING}{{1,6}}+"
            rf"{letter.replace('?P<x>', '?P<y>')})[\s.!*_`$\"'”」』。।]{{0,20}}\Z"
        )

    def find(self, text: str, take: Take) -> Found | None:
        """Return the letters that the strongest sign names; None without any sign."""
        places = Places.of(text)
        signs = self.announced(text, places)
        if signs and take == "last":
            made_up = NEXT_QUESTION.search(text, signs[0][0])
            stop = made_up.start() if made_up else len(text)
            return [found for start, found in signs if start <= stop][-1]
        if signs:
            return signs[0][1]
        for search in (self._last_line, self.head):
            found = search(text)
            if found is not None:
                return found
        signs = self._choices_in(text, places)
        if signs:
            return signs[-1 if take == "last" else 0][1]
        return self._end(text)

    def announced(self, text: str, places: Places) -> list[tuple[int, Found]]:
        """Return the letters behind words that announce an answer, with their places."""
        signs = []
        for place in places.announcing:
            match = self._announced.match(text, place)
            if match and not _is_denied(text, match):
                found = self._marked(text, match)
                if found is not None:
                    signs.append((match.start("x"), found))
        if signs:
            return signs
        matches = (self._named.match(text, place) for place in places.announcing)
        return [
            (match.start("x"), (self.options.names[match["x"]],))
            for match in matches
            if match and not _is_denied(text, match) and not NEGATION.search(match["gap"])
        ]

    def _marked(self, text: str, match: re.Match[str]) -> Found | None:
        noun, has_break = match["noun"], "\n" in match["gap"]
        if _IS_OPTION.fullmatch(noun) or noun.endswith("."):
            # "Let us look at each option:" starts a list; "choice: B" alone is an answer.
            before = text[max(0, match.start() - 40) : match.start()]
            if has_break or not _LINE_START.search(before):
                return None
        if match["x"] == "i":
            return None  # "(i) and (iii)" are statements.
        if has_break and match["x"].islower() and not _LINE_END.match(text, match.end()):
            return None
        return self.options.selection(text, match)

    def _choices_in(self, text: str, places: Places) -> list[tuple[int, Found]]:
        """Return the letters that the text chooses or calls right, with their places, in order."""
        signs = []
        for place in places.choosing:
            match = self._chosen.match(text, place)
            if match and not _is_denied(text, match) and not match["x"].islower():
                found = self.options.selection(text, match)
                if found is not None:
                    signs.append((match.start("x"), found))
        for place in places.letters:
            found = self._praised(text, place)
            if found is not None:
                signs.append((place, found))
        return sorted(signs)

    def _praised(self, text: str, place: int) -> Found | None:
        """Return the letter of "B is correct"; none for "A or B is correct"."""
        letter = self.options.letter_at(text, place)
        if letter is None or letter["x"].islower():
            return None
        praise = _PRAISE.match(text, letter.end())
        if praise is None or text[praise.end() : praise.end() + 9].lstrip()[:1] in ("?", "？"):
            return None
        before = text[max(0, place - 30) : place]
        joined = JOINED.search(before)
        # A comma may also end a clause: "(A) is wrong, (B) is right".
        is_clause = joined is not None and joined[0].strip(" (*") in _COMMAS
        if joined and not (is_clause and not _LISTED.search(before, 0, joined.start())):
            return ()
        is_denied = NEGATION.search(_CLAUSE_END.split(before)[-1][-12:])
        return None if is_denied else (self.options.names[letter["x"]],)

    def _last_line(self, text: str) -> Found | None:
        """Return the letter alone on the last of several lines."""
        lines = text.rstrip().rsplit("\n", 2)
        if len(lines) == 1:
            return None
        last, before = self._alone(lines[-1]), self._alone(lines[-2])
        return () if last and before and last != before else last

    def _alone(self, line: str) -> Found | None:
        match = self._opening.match(line)
        if match is None or match["x"].islower() or not _LINE_END.match(line, match.end()):
            return None
        return (self.options.names[match["x"]],)

    def head(self, text: str) -> Found | None:
        """Return the letter at the very beginning, as in "C) Paris"."""
        match = self._opening.match(text)
        if match is None:
            return None
        if match["x"].islower():
            is_closed = text[match.end() : match.end() + 1] in (")", "]", "）")
            # "(a) ..." on the first of several lines is a part of the question.
            if "\n" in text.strip() or not (is_closed or _LINE_END.match(text, match.end())):
                return None
        return self.options.selection(text, match)

    def _end(self, text: str) -> Found | None:
        """Return the letter in brackets, or behind "option", at the very end."""
        tail = text[-200:]
        match = self._ending.search(tail)
        if match is None:
            return None
        written = match["x"] or match["y"]
        sentence = _SENTENCE_END.split(tail[: match.start()])[-1]
        has_other = re.search(rf"[(\[（]{self.options.pattern}[)\]）]", sentence)
        if written.islower() or has_other or NEGATION.search(sentence) or _LONE.search(sentence):
            return None
        return (self.options.names[written],)


def _is_denied(text: str, match: re.Match[str]) -> bool:
    return _DENIED.search(text, max(0, match.start() - 40), match.start()) is not None


def _answer_within(read: Callable[..., str | None], letters: str, value: Any) -> str | None:
    """Read an answer of an item whose options have these letters.

    It is read as if any letter were an option. Else "Answer: E. (B) is ..." would give B where
    there is no E.
    """
    found = read(value)
    if letters.isascii():
        return found if found is not None and set(found) <= set(letters) else None
    names = letter_names(letters)
    return read(value, choices=letters) if all(one in names for one in found or "") else None


def _reference_within(read: Callable[..., str | None], letters: str, value: Any) -> str | None:
    # A number counts the options of the item.
    if _number(value) is not None:
        return read(value, choices=letters)
    return _answer_within(read, letters, value)


def _reference_of_several(value: Any, **options: Any) -> str | None:
    return read_reference(value, several=True, **options)


def _reference_of_one(value: Any, **options: Any) -> str | None:
    return read_reference(value, several=False, **options)


_WITHIN = _answer_within, _reference_within

READERS: tuple[Reader, ...] = (
    Reader(
        name="letter",
        does="the letter of the chosen option, in any language",
        prediction=read_letter,
        reference=_reference_of_one,
        within=_WITHIN,
    ),
    Reader(
        name="letters",
        does="the letters of all chosen options, in any order",
        prediction=read_letters,
        reference=_reference_of_several,
        within=_WITHIN,
    ),
)
