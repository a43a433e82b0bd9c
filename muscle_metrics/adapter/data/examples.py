"""Training data: prompts with their completions or choices, from JSON Lines to batches of tokens.

A row is ``{"prompt": ..., "completion": ...}`` or ``{"prompt": ..., "choices": [...], "answer":
0}``, where the answer is the place of the right choice or its text. ``id`` and ``weight`` are
optional.

Prompt and continuation are joined by one space, unless there is white space between them already,
and cut into tokens together; the space belongs to the continuation, as in lm-evaluation-harness.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch

from muscle_metrics.adapter.loss.strategies import IGNORED
from muscle_metrics.errors import InputError
from muscle_metrics.runs.files.jsonl import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.adapter.config import LossOver

__all__ = [
    "EncodedExample",
    "Example",
    "Examples",
    "GoldAndReplay",
    "Row",
    "collate",
    "encode_examples",
    "encode_pair",
    "encode_prompt",
    "pad_rows",
    "padding_token",
    "read_examples",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One item of training or validation data.

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
    """Tokens of an example, and the labels of the loss.

    Parameters
    ----------
    tokens : list of int
    labels : list of int
        The tokens again, or `IGNORED` where the loss skips them.
    weight : float
    """

    tokens: list[int]
    labels: list[int]
    weight: float


Row: TypeAlias = tuple[int, bool, EncodedExample]
"""Place in the data, whether the old model gave the answer, and the example."""


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


def encode_pair(
    tokenizer: Any, prompt: str, continuation: str, *, delimiter: str = " "
) -> tuple[list[int], int]:
    """Cut prompt and continuation into tokens, together.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        With its special tokens at the start, if it adds any, and none at the end.
    prompt, continuation : str
    delimiter : str
        Put between them unless there is white space; empty for scripts without spaces.

    Returns
    -------
    tokens : list of int
        Of both.
    length : int
        Number of the prompt's tokens: at least 1, so that a token precedes the continuation.

    Raises
    ------
    InputError
        If the continuation is empty or becomes one token with its prompt, or the prompt is empty
        and the tokenizer has no token to start with.

    Examples
    --------
    >>> class Letters:
    ...     bos_token_id, eos_token_id = 0, None
    ...     def __call__(self, text):
    ...         return {"input_ids": [0, *map(ord, text)]}
    >>> encode_pair(Letters(), "a ", "b"), encode_pair(Letters(), "", "b")
    (([0, 97, 32, 98], 2), ([0, 98], 1))
    """
    if not continuation:
        raise InputError(
            f"expected a continuation of at least 1 token after the prompt {prompt[-40:]!r}, got "
            "none: drop the item or give it an answer"
        )
    start = encode_prompt(tokenizer, prompt)
    if not prompt.strip(" "):
        following = _encode(tokenizer, continuation)
        return [*start, *following[following[:1] == start :]], len(start)
    border = prompt[-1:] + continuation[:1]
    delimiter = delimiter if border == border.strip() else ""
    whole = _encode(tokenizer, prompt + delimiter + continuation)
    # A token that spans the border counts as the continuation's first; a token must precede it.
    length = min(len(start), len(whole) - 1)
    if not length:
        raise InputError(
            f"expected {prompt[-40:]!r} and {continuation[:40]!r} to be cut into 2 tokens at "
            "least, got one token of both: set a delimiter"
        )
    return whole, length


def encode_prompt(tokenizer: Any, prompt: str) -> list[int]:
    """Cut a prompt into tokens, as `encode_pair` does."""
    tokens = _encode(tokenizer, prompt.rstrip(" "))
    if not tokens and tokenizer.bos_token_id is not None:
        return [tokenizer.bos_token_id]
    if not tokens:
        raise InputError(
            "expected a prompt of at least 1 token, got an empty one, and the tokenizer has no "
            "token for the beginning: give every item a prompt"
        )
    return tokens


def _encode(tokenizer: Any, text: str) -> list[int]:
    tokens: list[int] = list(tokenizer(text)["input_ids"])
    # Some tokenizers append the end token to every text; an open continuation must not have it.
    ending = getattr(tokenizer, "eos_token_id", None)
    if len(tokens) > 1 and tokens[-1] == ending and not text.endswith(tokenizer.eos_token):
        tokens.pop()
    return tokens


def encode_examples(
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    loss_over: LossOver,
    max_length: int,
    delimiter: str = " ",
) -> list[EncodedExample]:
    """Cut examples into tokens.

    A completion that is not a choice is closed by the token of the end. A prompt loses its
    beginning where an example has more than `max_length` tokens.

    Raises
    ------
    InputError
        If a completion alone is longer than `max_length`.
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
        # The first token has no label: no earlier token predicts it.
        ignored = length if loss_over == "completion" else 1
        labels = [IGNORED] * ignored + tokens[ignored:]
        encoded.append(EncodedExample(tokens, labels, example.weight))
    return encoded


def padding_token(tokenizer: Any) -> int:
    """Token that fills rows: the tokenizer's own, that of the end, or 0."""
    known = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
    return next(token for token in known if token is not None)


def pad_rows(
    rows: Sequence[Sequence[int]], padding: int, *, left: bool = False, device: Any = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad rows of tokens to one length; also give the mask, 1 on tokens and 0 on padding."""
    length = max(map(len, rows))
    tokens = torch.full((len(rows), length), padding)
    mask = torch.zeros_like(tokens)
    for row, values in enumerate(rows):
        place = slice(length - len(values), length) if left else slice(len(values))
        tokens[row, place] = torch.tensor(values)
        mask[row, place] = 1
    return tokens.to(device), mask.to(device)


class GoldAndReplay(torch.utils.data.Dataset[Any]):
    """Gold examples, each paired with a replayed one if there are any.

    Parameters
    ----------
    gold, replayed : sequence of EncodedExample
        Each epoch takes every gold example once. Replayed examples are taken in a cycle that
        continues over the epochs, so that every one of them is taken.

    Notes
    -----
    An item is a list of `Row`s; places are counted through gold and replayed examples.
    """

    def __init__(
        self, gold: Sequence[EncodedExample], replayed: Sequence[EncodedExample] = ()
    ) -> None:
        self._gold, self._replayed = gold, replayed
        self._epoch = 0

    def start_epoch(self, epoch: int) -> None:
        """Choose the replayed examples of an epoch, counted from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._gold)

    def __getitem__(self, place: int) -> list[Row]:
        items: list[Row] = [(place, False, self._gold[place])]
        if self._replayed:
            next_one = (self._epoch * len(self._gold) + place) % len(self._replayed)
            items.append((len(self._gold) + next_one, True, self._replayed[next_one]))
        return items


def collate(
    items: Iterable[Sequence[Row]], *, padding: int, device: Any = "cpu"
) -> dict[str, torch.Tensor]:
    """Make the tensors of a batch for `Distillation`.

    They are input_ids, attention_mask and labels of shape (B, L), padded on the right; and weights,
    replayed and examples, the places in the data, of shape (B,). Gold rows come first.
    """
    # Gold rows first: their order in the batch does not depend on replay.
    rows = sorted((row for item in items for row in item), key=lambda row: row[1])
    tokens, mask = pad_rows([example.tokens for _, _, example in rows], padding)
    labels, _ = pad_rows([example.labels for _, _, example in rows], IGNORED)
    batch = {
        "input_ids": tokens,
        "attention_mask": mask,
        "labels": labels,
        "weights": torch.tensor([example.weight for _, _, example in rows]),
        "replayed": torch.tensor([replayed for _, replayed, _ in rows]),
        "examples": torch.tensor([place for place, _, _ in rows]),
    }
    return {name: values.to(device) for name, values in batch.items()}
