"""The form of an answer, whatever it says: none, empty, a refusal, cut off, code, JSON or text.

`FORMS` is the one table of forms of an answer, `BREAKS` of changes of form between two answers.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.answers.columns import is_missing
from muscle_metrics.answers.reading.blocks import fences_of, without_reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "BREAKS",
    "FORMS",
    "SAME_FORM",
    "Break",
    "Form",
    "Look",
    "break_of",
    "look_at",
    "looks_of",
]

# lm-evaluation-harness writes this where a filter finds nothing.
_NOT_EXTRACTED = "[invalid]"

# Words, numbers and escapes of JSON that end before they are whole.
_CUT_TOKEN = re.compile(
    r"(?<=[\s\[:,])(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-)|(?<=[0-9])(?:\.|[eE][+-]?)"
    r"|(?<=\\)u[0-9A-Fa-f]{0,4}"
)

_STARTS_WITHIN = 400
_ENDS_WITHIN = 1000

_UNABLE = (
    r"(?:can\s?not|can['’]t|am (?:unable|not able) to|are unable to|won['’]t|will not|"
    r"(?:must|have to) (?:decline|refuse) to)"
)
_HELPING = (
    r"(?:help(?! but)|assist|comply|fulfil|provide|answer|continue|create|generate|write|discuss|"
    r"engage|support|give|offer|share|complete|participate|respond|access|browse|do (?:that|this)|"
    r"have (?:personal|opinions|feelings)|express)"
)
_AI = (
    r"an? (?:ai|artificial intelligence|(?:large )?language model|"
    r"(?:virtual |digital )?assistant)\b"
)
# English only. A refusal opens the answer and says that the model will not or cannot help; or it
# says near the start, at the start of a clause, that an AI does not. "I don't know", "it depends"
# and an apology before an answer are no refusals.
_REFUSAL = re.compile(
    r"\s*[\"'“*_>]{0,3}(?i:"
    r"(?:(?:(?:i['’]m|i am) (?:very |really |so )?sorry|sorry|i apologi[sz]e|unfortunately)"
    rf"[,.!;:]?\s(?:but\s)?[^\n]{{0,80}}?)?\b(?:i|we)\s{_UNABLE}\s{_HELPING}\b|"
    r"i (?:must|have to) (?:decline|refuse)\b)"
)
_DOES_NOT = rf"(?:{_UNABLE}|do not|don['’]t)\b"
_NOT_AS_AI = re.compile(
    rf"(?i:(?:^|[.!?,]\s|\band\s|\bbut\s)(?:as {_AI}[^\n.]{{0,60}}?\bi\s{_DOES_NOT}|"
    rf"(?:i['’]m|i am) {_AI}[^\n.]{{0,60}}?\b{_DOES_NOT}))"
)
# A mark opens or closes what a model thinks before it answers.
_REASONS = re.compile(
    r"[<\[◁](?i:/?(?:think|thought|reasoning|seed:think)|\|(?:begin_of_t|end_of_t|start_t|end_t|ch))"
)
_ENDED = re.compile(r"(?:</[\w:]+>|\[/THINK\]|◁/think▷|\|>)\Z")
_MARKER = re.compile(
    r"(?m:^[ \t]*#{4}[ \t])|\\(?:boxed|fbox)\s*\{|<answer>|"
    r"\b(?i:answer(?:\s+is)?\W{0,3}:|the (?:final |correct |right |best )?answer is)"
)


class Look(NamedTuple):
    r"""What is seen of an answer: the name of its form, and whether a marker announces its result.

    Markers are `####`, `\boxed{...}`, `<answer>`, "answer:" and "the answer is" among the last
    thousand characters.
    """

    form: str
    has_marker: bool = False


class Form(NamedTuple):
    """One form.

    Parameters
    ----------
    name : str
        Its name in JSON.
    title : str
        Its name for people.
    is_fault : bool
        Whether an answer of this form says nothing, or not all.
    """

    name: str
    title: str
    is_fault: bool


FORMS = (
    Form("no_answer", "no answer", is_fault=True),
    Form("empty", "empty text", is_fault=True),
    Form("not_extracted", "nothing extracted", is_fault=True),
    Form("refusal", "refusal", is_fault=True),
    Form("cut_off", "cut off", is_fault=True),
    Form("code_fence", "code fence", is_fault=False),
    Form("json", "JSON", is_fault=False),
    Form("text", "text", is_fault=False),
    Form("value", "number or truth value", is_fault=False),
)
"""Every form of an answer; an answer has the first that fits."""


class Break(NamedTuple):
    """A change of form between two answers.

    Parameters
    ----------
    name : str
        Its name in JSON.
    did : str
        What the new answer did, as "3 `did`".
    applies : callable
        Whether it is the change from an old to a new `Look`.
    """

    name: str
    did: str
    applies: Callable[[Look, Look], bool]


def _turned(form: str) -> Callable[[Look, Look], bool]:
    return lambda old, new: new.form == form != old.form


def _left(form: str) -> Callable[[Look, Look], bool]:
    return lambda old, new: old.form == form != new.form


SAME_FORM = "same_form"
BREAKS = (
    Break("no_answer", "came without an answer", _turned("no_answer")),
    Break("empty", "came as empty text", _turned("empty")),
    Break("not_extracted", "came without an extracted answer", _turned("not_extracted")),
    Break("refusal", "turned into a refusal", _turned("refusal")),
    Break("cut_off", "came cut off", _turned("cut_off")),
    Break("into_code_fence", "moved into a code fence", _turned("code_fence")),
    Break("out_of_code_fence", "left a code fence", _left("code_fence")),
    Break("no_json", "stopped being JSON", _left("json")),
    Break("marker_lost", "lost the final marker", lambda old, new: old[1] and not new[1]),
    Break(SAME_FORM, "kept the form of old", lambda old, new: True),
)
"""Every change of form; two answers have the first that applies."""


def look_at(answer: Any) -> Look:
    r"""See the form of an answer.

    Parameters
    ----------
    answer : object
        Text, a number, a truth value, or None.

    Returns
    -------
    Look

    Notes
    -----
    A refusal opens the answer, in English, and says that the model cannot or will not help: "I'm
    sorry, but I can't assist with that". Or it says among the first 400 characters what an AI does
    not: "As an AI language model, I don't have opinions". Refusals in other languages are texts.

    Closed reasoning is left out, and empty text where nothing is left. An answer is cut off if it
    ends inside a code fence, inside reasoning, or inside JSON that it starts with. Prose that stops
    in the middle of a sentence is a text.

    Examples
    --------
    >>> look_at(None).form, look_at(" ").form, look_at("```\nx = 1").form, look_at('{"a": 1}').form
    ('no_answer', 'empty', 'cut_off', 'json')
    >>> look_at("I'm sorry, but I can't help with that.").form, look_at("So it is 4.\n#### 4")
    ('refusal', Look(form='text', has_marker=True))
    """
    if is_missing(answer):
        return Look("no_answer")
    if not isinstance(answer, str):
        return Look("value")
    said = answer.strip()
    if not said:
        return Look("empty")
    if said == _NOT_EXTRACTED:
        return Look("not_extracted")
    if _REASONS.search(said):
        outside = without_reasoning(said)
        if outside is None:
            return Look("empty" if _ENDED.search(said) else "cut_off")
        said = outside
    return Look(_form_of_text(said), _has_marker(said[-_ENDS_WITHIN:]))


def break_of(old: Look, new: Look) -> str:
    r"""Name the change of form between an old and a new answer.

    Examples
    --------
    >>> break_of(look_at("x = 1"), look_at("```python\nx = 1\n```"))
    'into_code_fence'
    >>> break_of(look_at("4"), look_at("5"))
    'same_form'
    """
    return next(one.name for one in BREAKS if one.applies(old, new))


def _has_marker(end: str) -> bool:
    # The pattern is slow; most texts hold no part of a marker.
    is_likely = "####" in end or "box" in end or "answer" in end.lower()
    return is_likely and _MARKER.search(end) is not None


def _refuses(start: str) -> bool:
    if _REFUSAL.match(start):
        return True
    low = start.lower()
    is_likely = " ai" in low or "artificial" in low or "model" in low or "assistant" in low
    return is_likely and _NOT_AS_AI.search(start) is not None


def _form_of_text(text: str) -> str:
    if _refuses(text[:_STARTS_WITHIN]):
        return "refusal"
    if "```" in text or "~~~" in text:
        fences = fences_of(text)
        if fences.is_open:
            return "cut_off"
        if fences.closed:
            return "code_fence"
    if text[0] in "{[":
        return _form_of_json(text)
    return "text"


def _form_of_json(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return "cut_off" if _is_short(text, error) else "text"
    except (ValueError, RecursionError):
        return "text"
    return "json"


def _is_short(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the parser stopped for want of more text."""
    is_at_end = error.pos >= len(text) or error.msg.startswith("Unterminated string")
    return is_at_end or _CUT_TOKEN.fullmatch(text, error.pos) is not None


def looks_of(answers: Iterable[Any]) -> list[Look]:
    """See the form of every answer; each distinct text is looked at once."""
    seen: dict[str, Look] = {}
    looks = []
    for answer in answers:
        if not isinstance(answer, str):
            looks.append(look_at(answer))
            continue
        look = seen.get(answer)
        if look is None:
            look = seen[answer] = look_at(answer)
        looks.append(look)
    return looks
