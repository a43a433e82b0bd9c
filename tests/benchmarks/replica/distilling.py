"""A lean loop around the package's losses: teachers' logits once, then steps of the student."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from peft.utils import get_peft_model_state_dict

from muscle_metrics.adapter import LossSettings, compatibility_loss
from muscle_metrics.adapter.data.examples import encode_examples, pad_rows
from muscle_metrics.adapter.loss.strategies import IGNORED
from tests.benchmarks.replica.language import PAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from muscle_metrics.adapter import Example

__all__ = ["Corpus", "make_corpus", "train_adapter", "weigh_by_disagreement"]

ROWS_AT_ONCE = 1024


class Corpus(NamedTuple):
    """Sequences (N, L) with their labels, weights (N,) and what the teachers say of them."""

    tokens: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    old: torch.Tensor | None = None
    new: torch.Tensor | None = None

    def batches(self, size: int, seed: int) -> Iterator[torch.Tensor]:
        """Rows of one batch after the other, without end."""
        rng = np.random.default_rng(seed)
        size = min(size, len(self.tokens))
        while True:
            order = torch.from_numpy(rng.permutation(len(self.tokens)))
            yield from order[: len(order) // size * size].view(-1, size)


def make_corpus(
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    loss_over: Any,
    old: Any = None,
    new: Any = None,
) -> Corpus:
    """Encode examples as the trainer does, and let the teachers read them."""
    encoded = encode_examples(tokenizer, examples, loss_over=loss_over, max_length=64)
    tokens, _ = pad_rows([one.tokens for one in encoded], PAD)
    labels, _ = pad_rows([one.labels for one in encoded], IGNORED)
    taught = [None if model is None else _read(model, tokens) for model in (old, new)]
    return Corpus(tokens, labels, torch.tensor([one.weight for one in encoded]), *taught)


@torch.no_grad()
def _read(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    parts = tokens.split(ROWS_AT_ONCE)
    return torch.cat([model(part).logits[:, :-1] for part in parts])


def weigh_by_disagreement(corpus: Corpus) -> Corpus:
    """Weigh sequences by how much the teachers disagree on them, from 0.5 to 1.5 by rank."""
    assert corpus.old is not None
    assert corpus.new is not None
    gap = (corpus.old.softmax(-1) - corpus.new.softmax(-1)).abs().sum(-1)
    gap = (gap * (corpus.labels[:, 1:] != IGNORED)).sum(-1)
    rank = gap.argsort().argsort().float()
    return corpus._replace(weights=corpus.weights * (0.5 + rank / max(len(rank) - 1, 1)))


def train_adapter(
    student: Any,
    gold: Corpus,
    settings: LossSettings,
    *,
    steps: int,
    rate: float,
    replayed: Callable[[int], Corpus | None] = lambda _step: None,
    replay_weight: float = 1.0,
    judge: Callable[[float], None] = lambda _epoch: None,
    seed: int = 0,
) -> dict[str, torch.Tensor]:
    """Train the student's adapter; `judge` is called after each quarter of the steps.

    `replayed` gives the corpus to replay from at a step, the same one or a new one.
    """
    trained = [parameter for parameter in student.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.02, 1 - step / steps)
    )
    rows = gold.batches(32, seed)
    corpus, replay_rows = None, iter(())
    student.train()
    for step in range(steps):
        current = replayed(step)
        if current is not corpus and current is not None:
            corpus, replay_rows = current, current.batches(64, seed + 1 + step)
        batch = [(gold, next(rows), False)]
        if corpus is not None:
            batch.append((corpus, next(replay_rows), True))
        _loss(student, batch, settings, replay_weight).backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if (step + 1) % max(steps // 4, 1) == 0:
            judge((step + 1) * 4 / steps)
            student.train()
    student.eval()
    return {name: value.clone() for name, value in get_peft_model_state_dict(student).items()}


def _loss(student: Any, batch: Any, settings: LossSettings, replay_weight: float) -> torch.Tensor:
    length = max(corpus.tokens.shape[1] for corpus, _, _ in batch)
    tokens = torch.cat([_widen(corpus.tokens[rows], length, PAD) for corpus, rows, _ in batch])
    logits = student(tokens).logits[:, :-1]
    parts: dict[str, list[torch.Tensor]] = {
        name: [] for name in ("student", "old", "new", "labels", "weights", "replayed", "sequences")
    }
    start = 0
    for corpus, rows, replayed in batch:
        labels = corpus.labels[rows, 1:]
        taken = labels != IGNORED
        own = logits[start : start + len(rows), : labels.shape[1]][taken]
        places = torch.arange(start, start + len(rows))[:, None].expand_as(labels)[taken]
        weights = corpus.weights[rows][:, None].expand_as(labels)[taken] / taken.sum()
        parts["student"].append(own)
        # Cross-entropy alone asks no teacher.
        parts["old"].append(own.detach() if corpus.old is None else corpus.old[rows][taken])
        parts["new"].append(own.detach() if corpus.new is None else corpus.new[rows][taken])
        parts["labels"].append(labels[taken])
        parts["weights"].append(weights * (replay_weight if replayed else 1.0))
        parts["replayed"].append(torch.full_like(places, replayed, dtype=torch.bool))
        parts["sequences"].append(places)
        start += len(rows)
    joined = {name: torch.cat(values) for name, values in parts.items()}
    return compatibility_loss(joined.pop("student"), settings=settings, **joined).loss


def _widen(rows: torch.Tensor, length: int, value: int) -> torch.Tensor:
    return torch.nn.functional.pad(rows, (0, length - rows.shape[1]), value=value)
