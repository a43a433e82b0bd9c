"""Readers one after the other, as ``--answer strip,casefold`` names them."""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.answers.keys import NESTED, is_missing, plain_value
from muscle_metrics.answers.reading.table import ANSWER_READERS
from muscle_metrics.errors import UsageError
from muscle_metrics.words.calls import parse_call, split_calls
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.answers.reading.reader import Reader

__all__ = ["OPTION", "Answer", "Reading", "check_choices_field", "option_of", "with_answer"]

OPTION = "--answer (answer=)"

# A pattern may hold commas, so it takes the rest of the text.
_REST = re.compile(r"(?:^|,)\s*regex:")
_GROUP = re.compile(r'\((?:"(?:[^"\\]|\\.)*"|[^()"])*\)', re.DOTALL)
# Stands behind a text without an answer that spells a reference by chance.
_UNREAD = " (no answer found)"


class Answer(NamedTuple):
    """What was read of an answer: its text, or None where it counts as none given.

    `is_found` says whether a reader found what it looks for; without it the text is the whole one,
    which no reference equals.
    """

    text: str | None
    is_found: bool


@dataclass(frozen=True, slots=True)
class Reading:
    r"""Readers, each of which reads what the one before it found; and a function before them all.

    It may be passed wherever a function `key` is taken. There it also knows which references an
    answer is compared with.

    Parameters
    ----------
    readers : tuple of Reader
        With their options bound; at least one.
    key : callable, optional
        The function of a user, applied first.

    Examples
    --------
    >>> reading = Reading.of("strip, casefold")
    >>> reading(" New York\n"), reading.name
    ('new york', 'strip, casefold')
    """

    readers: tuple[Reader, ...]
    key: Callable[[Any], Any] | None = None

    @classmethod
    def of(cls, text: str, key: Callable[[Any], Any] | None = None) -> Reading:
        """Find the readers that a text names, such as ``no-think, number(decimal=comma)``.

        Raises
        ------
        UsageError
            If a reader or an option is unknown.
        """
        if not isinstance(text, str):
            raise UsageError(
                f"expected names of answer readers as one text for {OPTION}, got "
                f"{type(text).__name__}: write them as in --answer strip,casefold"
            )
        rest = next((m for m in _REST.finditer(text) if _is_outside(text[: m.start()])), None)
        named = text if rest is None else text[: rest.start()]
        parts = [] if rest is not None and not named.strip() else split_calls(named)
        calls = [parse_call(part, option=OPTION) for part in parts]
        found = [_known(call.name).bind(call.options) for call in calls]
        if rest is not None:
            found.append(_known("regex").bind({"pattern": text[rest.end() :]}))
        _check_order(found)
        return cls(tuple(found), key)

    @property
    def name(self) -> str:
        """Names and options, as one writes them."""
        return ", ".join(map(_written, self.readers))

    def __call__(self, value: Any) -> Any:
        """Read an answer without its references; the whole text where nothing is found."""
        return self.read(value if self.key is None else self.key(value)).text

    def read(self, value: Any, accepted: Sequence[str] = ()) -> Answer:
        """Read an answer to which the function of the user was applied.

        Parameters
        ----------
        value : object
            What is no text is read as its JSON.
        accepted : sequence of str
            Its references as `reference` reads them. An answer that is the same as one of them gets
            its text, so that equal texts are right everywhere below.
        """
        if is_missing(value):
            return Answer(None, is_found=False)
        whole = found = _text_of(value)
        for reader in self.readers:
            part = reader.prediction(found)
            if part is None:
                if reader.unanswered:
                    return Answer(None, is_found=False)
                return Answer(whole + _UNREAD if whole in accepted else whole, is_found=False)
            found = part
        same = self.readers[-1].same
        if same is not operator.eq and found not in accepted:
            found = next((one for one in accepted if same(found, one)), found)
        return Answer(found, is_found=True)

    def reference(self, value: Any) -> str | None:
        """Read a reference; None where it cannot be read, or nothing is left of it."""
        whole = found = _text_of(value)
        for reader in self.readers:
            part = reader.reference(found)
            if part is None:
                return None
            found = part
        return found if found.strip() or not whole.strip() else None

    def accepted(self, references: Any) -> list[Any]:
        """List the references of an item: of a list each, unless the list is one answer.

        A list with objects is one, such as the calls of tools that are expected; so is any list
        for a reader with ``list=one``.

        Examples
        --------
        >>> Reading.of("json").accepted([1, 2]), Reading.of("json(list=one)").accepted([1, 2])
        ([1, 2], [[1, 2]])
        """
        is_list = isinstance(references, NESTED) and getattr(references, "ndim", 1) != 0
        return list(references) if is_list and not self.is_one(references) else [references]

    def is_one(self, references: Any) -> bool:
        """Whether a list of references is one answer."""
        if any(reader.options.get("list") == "one" for reader in self.readers):
            return True
        return self.key is None and any(isinstance(one, dict) for one in references)

    @property
    def takes_choices(self) -> bool:
        """Whether a reader reads by the options of each item, where they are known."""
        return any(reader.takes_choices for reader in self.readers)

    def of_item(self, letters: str | None) -> Reading:
        """Readers for an item whose options have these letters; the same ones for None.

        Examples
        --------
        >>> Reading.of("letter").of_item("ABCD").read("Answer: E").is_found
        False
        """
        if letters is None or not self.takes_choices:
            return self
        return replace(self, readers=tuple(reader.of_item(letters) for reader in self.readers))

    @property
    def explains(self) -> bool:
        """Whether the last reader knows why an answer is wrong."""
        return self.readers[-1].mismatch is not None

    def mismatch(self, value: Any, references: Any) -> str | None:
        """Say why an answer is none of its references, as far as the last reader knows a reason.

        Parameters
        ----------
        value : object
            The answer as it was recorded.
        references : object
            Its reference, or a list of accepted ones, as recorded.

        Returns
        -------
        str or None
            The reason by the first reference; None for an answer that is right, or missing.

        Examples
        --------
        >>> Reading.of("tool-calls").mismatch("f(a=1)", ["f(a=2)", "g()"])
        'argument a of f differs'
        """
        why = self.readers[-1].mismatch
        if why is None or is_missing(value):
            return None
        answer = self._before_last(value)
        known = [one for one in self.accepted(references) if not is_missing(one)]
        reasons = [why(answer, self._before_last(one)) for one in known]
        return reasons[0] if reasons and all(reasons) else None

    def _before_last(self, value: Any) -> str:
        """Read what the last reader gets of an answer or a reference; "" where nothing is left."""
        found = _text_of(value if self.key is None else self.key(value))
        for reader in self.readers[:-1]:
            found = reader.prediction(found) or ""
        return found

    @property
    def may_silence(self) -> bool:
        """Whether a reader takes some answers as none given."""
        return any(reader.unanswered for reader in self.readers)

    def is_silent(self, value: Any) -> bool:
        """Whether an answer that was given counts as none given."""
        if not self.may_silence or is_missing(value):
            return False
        return self(value) is None


def with_answer(
    key: Callable[[Any], Any] | None, answer: str | None
) -> Callable[[Any], Any] | None:
    r"""Join a function of a user and the names of readers, which read what it gives.

    Examples
    --------
    >>> with_answer(None, None) is None, with_answer(str.strip, "first-line")(" A\nB")
    (True, 'A')
    """
    if answer is None:
        return key
    if isinstance(key, Reading):
        raise UsageError(f"expected readers in key= or in {OPTION}, got both: give one of them")
    return Reading.of(answer, key)


def check_choices_field(key: Callable[[Any], Any] | None, field: object) -> None:
    """Refuse a field of options that no reader of answers reads by.

    Raises
    ------
    UsageError
        If there is one.

    Examples
    --------
    >>> check_choices_field(Reading.of("letter"), "options")
    """
    readers = key.readers if isinstance(key, Reading) else ()
    if field is not None and not any(reader.within for reader in readers):
        raise UsageError(
            "expected --answer letter or letters (answer=) with --choices-field (choices_field=), "
            "got other readers or none: add --answer letter, or leave it out"
        )


def option_of(key: Callable[[Any], Any]) -> str:
    """Option that a key was given by, as messages name it."""
    return OPTION if isinstance(key, Reading) and key.key is None else "--key (key=)"


def _known(name: str) -> Reader:
    reader = ANSWER_READERS.get(name)
    if reader is None:
        near = nearest_name(name, ANSWER_READERS)
        advice = f"did you mean {near!r}?" if near else "name one, or a function with --key (key=)"
        raise UsageError(
            f"expected answer readers among {', '.join(ANSWER_READERS)} for {OPTION}, got "
            f"{name!r}: {advice}"
        )
    return reader


def _check_order(readers: Sequence[Reader]) -> None:
    for reader in readers[:-1]:
        if reader.same is not operator.eq:
            raise UsageError(
                f"expected {reader.name!r} as the last answer reader for {OPTION}, because it "
                f"compares values and not texts, got {readers[-1].name!r} behind it: exchange them"
            )


def _is_outside(text: str) -> bool:
    """Whether a text ends outside parentheses."""
    return "(" not in _GROUP.sub("", text)


def _written(reader: Reader) -> str:
    options = reader.options
    if not options:
        return reader.name
    if reader.name == "regex" and options.keys() == {"pattern"}:
        return f"regex(pattern={json.dumps(options['pattern'], ensure_ascii=False)})"
    listed = ", ".join(f"{name}={_value(value)}" for name, value in options.items())
    return f"{reader.name}({listed})"


def _value(value: Any) -> str:
    is_plain = isinstance(value, str) and re.fullmatch(r"[\w.-]+", value)
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False)


def _text_of(value: Any) -> str:
    value = plain_value(value)
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that JSON lacks, or a circle
        return repr(value)
