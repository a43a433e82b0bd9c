"""Training data: prompts with their completions or choices, from JSON Lines to tokens.

A row is ``{"prompt": ..., "completion": ...}`` or ``{"prompt": ..., "choices": [...], "answer":
0}``, where the answer is the place of the right choice or its text. ``id`` and ``weight`` are
optional.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from muscle_metrics.adapter.data.answering import encode_pair
from muscle_metrics.adapter.loss.strategies import IGNORED
from muscle_metrics.errors import InputError
from muscle_metrics.runs.files.jsonl import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.adapter.config import LossOver

__all__ = ["EncodedExample", "Example", "Examples", "encode_examples", "read_examples"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One item to learn from or to be judged by.

    Parameters
    ----------
    id : str
    prompt : str
    completion : str, optional
        The right answer; none for a prompt that is only replayed.
    choices : tuple of str
        All choices, where there are any; the completion is one of them.
    weight : float
        Of the item in the loss, relative to 1.
    """

    id: str
    prompt: str
    completion: str | None = None
    choices: tuple[str, ...] = ()
    weight: float = 1.0


Examples: TypeAlias = "str | os.PathLike[str] | Iterable[Example | Mapping[str, Any]]"
"""A JSON Lines file, or rows, or examples."""


class EncodedExample(NamedTuple):
    """Tokens of an example, and which of them are learnt.

    Parameters
    ----------
    tokens : list of int
    labels : list of int
        The tokens once more, `IGNORED` where they take no part in the loss.
    weight : float
    """

    tokens: list[int]
    labels: list[int]
    weight: float


def read_examples(source: Examples, *, answered: bool = True) -> list[Example]:
    """Read examples, and check each.

    Parameters
    ----------
    source : str, path, or iterable of Example or mapping
    answered : bool
        Whether every example must have a completion or choices.

    Returns
    -------
    list of Example

    Raises
    ------
    FileError
        If a line of a file is not an object in JSON.
    InputError
        If there is none, a field is missing or of another type, or an id is there twice.

    Examples
    --------
    >>> read_examples([{"prompt": "1 + 1 =", "choices": ["2", "3"], "answer": 0}])[0].completion
    '2'
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        rows: list[tuple[str, int, Example | Mapping[str, Any]]] = [
            (f"{path.name}:{line}: ", line, row) for line, row in read_jsonl(path)
        ]
    else:
        rows = [("", place, row) for place, row in enumerate(source)]
    examples = [
        row if isinstance(row, Example) else _example(row, place, str(name), answered)
        for place, name, row in rows
    ]
    if not examples:
        raise InputError(
            "expected at least 1 example, got none: give rows with a prompt and a completion"
        )
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise InputError(f"expected every id once, got {example.id!r} twice: rename one")
        seen.add(example.id)
        if answered and example.completion is None:
            raise InputError(
                f"expected a completion or choices of {example.id!r}, got neither: add one"
            )
    return examples


def _example(row: Any, place: str, name: str, answered: bool) -> Example:
    def field(key: str, kind: type | tuple[type, ...], words: str) -> Any:
        value = row.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{place}expected {key!r} to be {words}, got {value!r}: check the row")
        return value

    prompt = field("prompt", str, "a text")
    name = str(row.get("id", name))
    weight = field("weight", (int, float), "a number") if "weight" in row else 1.0
    if not 0 < weight < math.inf:
        raise InputError(f"{place}expected 'weight' to be above 0, got {weight!r}: check the row")
    if "choices" in row:
        choices = field("choices", (list, tuple), "a list of texts")
        if len(choices) < 2 or not all(isinstance(choice, str) and choice for choice in choices):
            raise InputError(
                f"{place}expected 'choices' to be at least 2 texts, got {choices!r}: check the row"
            )
        if not answered and "answer" not in row:
            return Example(id=name, prompt=prompt, choices=tuple(choices), weight=float(weight))
        answer = field("answer", (int, str), "the place or the text of a choice")
        if answer in choices:
            answer = choices.index(answer)
        if not isinstance(answer, int) or not 0 <= answer < len(choices):
            raise InputError(
                f"{place}expected 'answer' to be the text of a choice or its place, at most "
                f"{len(choices) - 1}, got {answer!r}: check the row"
            )
        return Example(
            id=name,
            prompt=prompt,
            completion=choices[answer],
            choices=tuple(choices),
            weight=float(weight),
        )
    completion = field("completion", str, "a text") if answered or "completion" in row else None
    return Example(id=name, prompt=prompt, completion=completion, weight=float(weight))


def encode_examples(
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    loss_over: LossOver,
    max_length: int,
    delimiter: str = " ",
) -> list[EncodedExample]:
    """Cut examples into tokens.

    Parameters
    ----------
    tokenizer : transformers tokenizer
    examples : sequence of Example
        With completions. One that is not a choice is closed by the token of the end.
    loss_over : {"prompt_and_completion", "completion"}
    max_length : int
        Longer prompts lose their beginning.
    delimiter : str

    Returns
    -------
    list of EncodedExample

    Raises
    ------
    InputError
        If a completion alone is longer than `max_length`.

    Examples
    --------
    >>> class Letters:
    ...     bos_token_id, eos_token_id, eos_token = 1, 2, "."
    ...     def __call__(self, text):
    ...         return {"input_ids": [*map(ord, text)]}
    >>> example = Example(id="1", prompt="a", completion="b")
    >>> encode_examples(Letters(), [example], loss_over="completion", max_length=9)
    [EncodedExample(tokens=[97, 32, 98, 2], labels=[-100, 32, 98, 2], weight=1.0)]
    """
    encoded = []
    for example in examples:
        tokens, length = encode_pair(
            tokenizer, example.prompt, example.completion or "", delimiter=delimiter
        )
        if not example.choices and tokenizer.eos_token_id is not None:
            tokens = [*tokens, tokenizer.eos_token_id]
        surplus = max(len(tokens) - max_length, 0)
        if surplus >= length:
            raise InputError(
                f"expected completions of less than max_length = {max_length} tokens, got "
                f"{len(tokens) - length} of {example.id!r}: raise max_length or drop the example"
            )
        tokens, length = tokens[surplus:], length - surplus
        # Nothing predicts the first token.
        ignored = length if loss_over == "completion" else 1
        labels = [IGNORED] * ignored + tokens[ignored:]
        encoded.append(EncodedExample(tokens, labels, example.weight))
    return encoded
