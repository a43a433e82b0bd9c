"""Batches of gold examples with replayed ones beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from muscle_metrics.adapter.data.answering import pad_rows
from muscle_metrics.adapter.loss.strategies import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.adapter.data.examples import EncodedExample

__all__ = ["GoldAndReplay", "collate"]


class GoldAndReplay(torch.utils.data.Dataset[Any]):
    """Gold examples, each with a replayed one beside it where there are any.

    Parameters
    ----------
    gold, replayed : sequence of EncodedExample
        Each epoch goes once through the gold examples; replayed ones follow each other through the
        epochs, so that all have their turn whatever their number.

    Notes
    -----
    An item is a list of (place, replayed, example), the place counted through both kinds.

    Examples
    --------
    >>> pairs = GoldAndReplay(["a", "b"], ["x", "y", "z"])
    >>> pairs.start_epoch(1)
    >>> pairs[0]
    [(0, False, 'a'), (4, True, 'z')]
    """

    def __init__(
        self, gold: Sequence[EncodedExample], replayed: Sequence[EncodedExample] = ()
    ) -> None:
        self._gold, self._replayed = gold, replayed
        self._epoch = 0

    def start_epoch(self, epoch: int) -> None:
        """Go on to the replayed examples of an epoch, from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._gold)

    def __getitem__(self, place: int) -> list[tuple[int, bool, EncodedExample]]:
        items = [(place, False, self._gold[place])]
        if self._replayed:
            turn = (self._epoch * len(self._gold) + place) % len(self._replayed)
            items.append((len(self._gold) + turn, True, self._replayed[turn]))
        return items


def collate(
    items: Sequence[Sequence[tuple[int, bool, EncodedExample]]], *, padding: int
) -> dict[str, torch.Tensor]:
    """Make the tensors of a batch, as `Distillation` takes them.

    Parameters
    ----------
    items : sequence of lists of (place, replayed, example)
    padding : int
        Token of the padding, on the right.

    Returns
    -------
    dict of str to Tensor
        input_ids, attention_mask, labels of shape (B, L); weights, replayed, examples of shape
        (B,), gold rows first.

    Examples
    --------
    >>> from muscle_metrics.adapter.data.examples import EncodedExample
    >>> collate([[(0, False, EncodedExample([4, 5], [-100, 5], 1.0))]], padding=0)["labels"]
    tensor([[-100,    5]])
    """
    # Gold first keeps the batch's order independent of whether anything is replayed.
    rows = sorted((row for item in items for row in item), key=lambda row: row[1])
    tokens, mask = pad_rows([example.tokens for _, _, example in rows], padding)
    labels, _ = pad_rows([example.labels for _, _, example in rows], IGNORED)
    return {
        "input_ids": tokens,
        "attention_mask": mask,
        "labels": labels,
        "weights": torch.tensor([example.weight for _, _, example in rows]),
        "replayed": torch.tensor([replayed for _, replayed, _ in rows]),
        "examples": torch.tensor([place for place, _, _ in rows]),
    }
