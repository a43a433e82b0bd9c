"""Answers and references of a row of lm-evaluation-harness, which writes both as text."""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CHOSEN_BY",
    "DIVIDED",
    "choice_of",
    "is_accepted",
    "likelihoods_of",
    "reference_of",
    "text_of",
]

# Metrics that are 1 where the model chose right, and by what each divides a log-likelihood first.
CHOSEN_BY: Mapping[str, Callable[[str], int]] = {
    "acc": lambda choice: 1,
    "acc_norm": len,
    "acc_bytes": lambda choice: len(choice.encode("utf-8", "surrogatepass")),
}
# Whether an answer is the greedy one: as a file holds it, and as it is in memory.
_WORDS = frozenset({"True", "False", True, False})
# Those that need the texts of the choices.
DIVIDED = frozenset({"acc_norm", "acc_bytes"})
# A flat list as Python writes it; only such a text is evaluated.
_ITEM = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e+-]*|True|False|None)"""
_LIST = re.compile(rf"\[{_ITEM}(?:, {_ITEM})*\]", re.DOTALL)


def likelihoods_of(answers: Sequence[Any]) -> list[float] | None:
    """Log-likelihood of every choice, which stands beside whether it is the greedy one.

    Examples
    --------
    >>> likelihoods_of([["-1.5", "False"], ["-2.5", "False"]]), likelihoods_of(["-1.5"])
    ([-1.5, -2.5], None)
    """
    try:
        if not {answer[1] for answer in answers} <= _WORDS:
            return None
        return [float(answer[0]) for answer in answers] or None
    except (TypeError, ValueError, LookupError):
        # A text, or something else that is no pair.
        return None


def choice_of(
    likelihoods: Sequence[float], row: Mapping[str, Any], metric: str | None
) -> str | None:
    """Index of the choice that the model made; None where the row does not tell.

    Examples
    --------
    >>> choice_of([-1.5, -2.5], {}, "acc")
    '0'
    >>> row = {"arguments": [("Who?", " I"), ("Who?", " nobody")]}
    >>> choice_of([-1.5, -2.5], row, "acc_norm")
    '1'
    """
    values = likelihoods
    if metric in DIVIDED:
        sizes = [CHOSEN_BY[metric](choice) for choice in _choices_of(row.get("arguments"))]
        if len(sizes) != len(likelihoods) or not all(sizes):
            return None
        values = [value / size for value, size in zip(likelihoods, sizes, strict=True)]
    if len(values) < 2 or any(map(math.isnan, values)):
        return None
    return str(values.index(max(values)))


def _choices_of(arguments: object) -> list[str]:
    """Texts of the choices, without the space that sets them apart from the question."""
    if isinstance(arguments, dict):
        arguments = [
            [part.get("arg_0"), part.get("arg_1")] if isinstance(part, dict) else []
            for part in arguments.values()
        ]
    if not isinstance(arguments, list):
        return []
    texts = [part[1] if len(part) > 1 else None for part in arguments]
    return [text.removeprefix(" ") for text in texts if isinstance(text, str)]


def text_of(answers: Sequence[Any]) -> str | None:
    """Give the one answer that was scored; None where there are several, or none in words.

    Examples
    --------
    >>> text_of(["4"]), text_of([["4", "5"]])
    ('4', None)
    """
    answer = answers[0] if len(answers) == 1 else None
    if isinstance(answer, (list, tuple)) and len(answer) == 1:
        answer = answer[0]
    return answer if isinstance(answer, str) else None


def reference_of(target: Any) -> str | list[str]:
    """Text of the target; a list, which a file holds as Python writes it, is of accepted ones.

    Examples
    --------
    >>> reference_of("4"), reference_of("['Paris', 'paris']"), reference_of("[x] done")
    ('4', ['Paris', 'paris'], '[x] done')
    """
    if isinstance(target, str) and target.startswith("[") and _LIST.fullmatch(target):
        try:
            return [str(accepted) for accepted in ast.literal_eval(target)]
        except (ValueError, SyntaxError):
            return target
    if isinstance(target, (list, tuple)):
        return [str(accepted) for accepted in target]
    return str(target)


def is_accepted(prediction: str | None, reference: str | list[str]) -> bool:
    """Tell whether a choice is the right one, or one of them.

    Examples
    --------
    >>> is_accepted("0", "0"), is_accepted("1", ["0", "2"])
    (True, False)
    """
    return prediction == reference or (isinstance(reference, list) and prediction in reference)
