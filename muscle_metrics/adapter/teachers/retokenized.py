"""An old model with another tokenizer, as a teacher of the new model's tokens.

Rows of two vocabularies cannot be compared, but the old model can score the text of a token. At
each token of the loss, the new model's most likely candidates are written as text, cut into tokens
by the old model's tokenizer and scored by the old model; all other tokens are one bucket. These
rows are computed once, before training.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from muscle_metrics.adapter.data.answering import run_examples
from muscle_metrics.adapter.data.examples import pad_rows
from muscle_metrics.adapter.loss.strategies import IGNORED
from muscle_metrics.adapter.models import all_logits, answering
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.adapter.data.examples import EncodedExample
    from muscle_metrics.adapter.models import LoadedModel
    from muscle_metrics.adapter.teachers.stored import Block

__all__ = ["check_spelling", "score_candidates"]

# Least probability of the rest: 0 would make the reverse KL divergence infinite.
LEAST = 1e-6


class _Place(NamedTuple):
    """A token of the loss: tokens before it, its label, and the new model's log-probabilities."""

    before: list[int]
    label: int
    candidates: list[int]
    expected: torch.Tensor


def check_spelling(old: LoadedModel, new: LoadedModel, examples: Sequence[EncodedExample]) -> None:
    """Refuse tokenizers that cannot be brought together through the text.

    Raises
    ------
    InputError
        If the old tokenizer does not reproduce the text of the new one in most examples.
    """
    probed = examples[:64]
    lost = 0
    for example in probed:
        text = new.tokenizer.decode(example.tokens, skip_special_tokens=True)
        again = old.tokenizer.decode(_encode(old.tokenizer, text), skip_special_tokens=True)
        lost += "".join(text.split()) != "".join(again.split())
    if 2 * lost > len(probed):
        raise InputError(
            f"expected tokenizers that spell the same texts, got {lost} of {len(probed)} examples "
            f"that the {len(old.tokenizer.get_vocab())} tokens of {old.name!r} do not give back as "
            f"the {len(new.tokenizer.get_vocab())} of {new.name!r} spell them: such a pair is not "
            "supported"
        )


def score_candidates(
    old: LoadedModel,
    new: LoadedModel,
    examples: Sequence[EncodedExample],
    *,
    vocabulary: int,
    temperature: float,
    top_k: int,
    batch_size: int,
) -> Iterator[Block]:
    """Score the new model's candidates by the old one, at each token of the loss.

    It yields one `Block` per example, in order. The right token is always one of the `top_k`
    candidates. `vocabulary` is the size of the new model's head; `temperature` is that of the loss.
    Within the rest, the old model's probability is assumed to be spread like the new model's.
    """
    speller = _Speller(old, new, batch_size)
    for example in examples:
        places = _places(new, example, vocabulary, top_k)
        scores = speller.score(places)
        yield _block(places, scores, vocabulary=vocabulary, temperature=temperature, top_k=top_k)


def _places(new: LoadedModel, example: EncodedExample, vocabulary: int, top_k: int) -> list[_Place]:
    with new.as_teacher() as model:
        _, logits = next(run_examples(model, [example], batch_size=1))
    rows = logits[0, :, :vocabulary].float().log_softmax(1).cpu()
    places = []
    for column, label in enumerate(example.labels[1:]):
        if label != IGNORED:
            best = rows[column].topk(min(top_k, vocabulary - 1)).indices.tolist()
            if label not in best:
                best[-1] = label
            places.append(_Place(example.tokens[: column + 1], label, best, rows[column]))
    return places


class _Speller:
    """Scores texts by the old model, each sequence of its tokens once."""

    def __init__(self, old: LoadedModel, new: LoadedModel, batch_size: int) -> None:
        self._old, self._new, self._batch_size = old, new, batch_size
        self._special = set(new.tokenizer.all_special_ids)

    def score(self, places: Sequence[_Place]) -> list[dict[int, float]]:
        """Log-probability of each candidate that can be spelled, by place."""
        wanted: list[dict[int, tuple[list[int], int]]] = []
        for place in places:
            start = _encode(self._old.tokenizer, self._spell(place.before))
            spelled = ((one, self._continue(place, one, start)) for one in place.candidates)
            wanted.append({one: found for one, found in spelled if found is not None})
        by_row = self._run({tuple(row[:-1]) for place in wanted for row, _ in place.values()})
        return [
            {
                one: sum(
                    by_row[tuple(row[:-1])][end - 1, row[end]].item()
                    for end in range(start, len(row))
                )
                for one, (row, start) in place.items()
            }
            for place in wanted
        ]

    def _continue(
        self, place: _Place, candidate: int, start: list[int]
    ) -> tuple[list[int], int] | None:
        """Old tokens of the earlier text and the candidate, and the index of the candidate."""
        ending = self._old.tokenizer.eos_token_id
        if candidate == self._new.tokenizer.eos_token_id and ending is not None and start:
            return [*start, ending], len(start)
        if candidate in self._special:
            return None
        before, whole = self._spell(place.before), self._spell([*place.before, candidate])
        # A token that is part of a UTF-8 character has no text of its own.
        if len(whole) <= len(before) or not whole.startswith(before) or whole.endswith("\ufffd"):
            return None
        row = _encode(self._old.tokenizer, whole)
        same = takewhile(lambda pair: pair[0] == pair[1], zip(start, row, strict=False))
        common = sum(1 for _ in same)
        # The old tokenizer may cut the text before in another way when more text follows.
        return (row, common) if 0 < common < len(row) else None

    def _spell(self, tokens: list[int]) -> str:
        text: str = self._new.tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def _run(self, rows: set[tuple[int, ...]]) -> dict[tuple[int, ...], torch.Tensor]:
        """Log-probabilities after each token of each row."""
        groups: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for row in sorted(rows):
            groups[len(row)].append(row)
        device = next(self._old.model.parameters()).device
        found: dict[tuple[int, ...], torch.Tensor] = {}
        with answering(self._old.model):
            for group in groups.values():
                for start in range(0, len(group), self._batch_size):
                    chosen = group[start : start + self._batch_size]
                    tokens, mask = pad_rows(chosen, 0, device=device)
                    batch = {"input_ids": tokens, "attention_mask": mask}
                    logits = all_logits(self._old.model, batch).float().log_softmax(-1).cpu()
                    found.update(zip(chosen, logits, strict=True))
        return found


def _block(
    places: Sequence[_Place],
    scores: Sequence[dict[int, float]],
    *,
    vocabulary: int,
    temperature: float,
    top_k: int,
) -> Block:
    width = min(top_k, vocabulary - 1)
    tokens = torch.full((len(places), width), vocabulary, dtype=torch.int32)
    values = torch.full((len(places), width), -math.inf)
    rest = torch.zeros(len(places))
    right = torch.zeros(len(places), dtype=torch.bool)
    likelihood = torch.full((len(places),), -math.inf)
    for number, (place, found) in enumerate(zip(places, scores, strict=True)):
        if place.label not in found:
            # The right token cannot be spelled: keep the whole row for the student (rest = 1).
            continue
        known = torch.tensor(list(found))
        score = torch.tensor(list(found.values()))
        # One text may begin with another: bound the sum of their probabilities below 1.
        score = score - score.logsumexp(0).clamp(min=math.log(1 - LEAST)) + math.log(1 - LEAST)
        left = torch.log1p(-score.exp().sum().clamp(max=1 - LEAST))
        others = place.expected.scatter(0, known, -math.inf)
        spread = ((others - others.logsumexp(0)) / temperature).logsumexp(0)
        tempered = torch.cat([score / temperature, (left / temperature + spread)[None]])
        tempered = tempered.log_softmax(0)
        tokens[number, : len(known)] = known.int()
        values[number, : len(known)] = tempered[:-1]
        rest[number] = tempered[-1]
        right[number] = int(known[score.argmax()]) == place.label
        likelihood[number] = found[place.label]
    return {
        "tokens": tokens,
        "log_probabilities": values,
        "rest": rest,
        "right": right,
        "log_likelihood": likelihood,
    }


def _encode(tokenizer: Any, text: str) -> list[int]:
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    start = tokenizer("")["input_ids"]
    # With the token of the beginning, if the tokenizer adds one.
    return [*start[:1], *tokens] if start[:1] == [tokenizer.bos_token_id] else tokens
