"""The module that is trained: one forward pass of student and teachers gives the loss.

DDP wraps this module, so that the gradient of the loss, fused or not, goes through its reducer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch

from muscle_metrics.adapter.loss.fused import (
    HeadRows,
    LogitRows,
    TeacherRows,
    fused_compatibility_loss,
)
from muscle_metrics.adapter.loss.losses import LossParts, compatibility_loss
from muscle_metrics.adapter.loss.strategies import IGNORED, LossSettings, Tokens
from muscle_metrics.adapter.models import all_logits, head_of, last_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muscle_metrics.adapter.models import LoadedModel

__all__ = ["Distillation", "LiveTeacher", "OldTeacher", "Places", "count_tokens"]


class Places(NamedTuple):
    """Where the tokens of the loss are in a batch.

    Parameters
    ----------
    rows, columns : Tensor of int, shape (N,)
        Places that predict; the predicted token is one column further.
    """

    rows: torch.Tensor
    columns: torch.Tensor


class OldTeacher(Protocol):
    """The old model: live, or as stored rows."""

    def teach(
        self, batch: Mapping[str, torch.Tensor], places: Places, *, fused: bool
    ) -> TeacherRows:
        """Give the old model's rows for the tokens of a batch."""


class LiveTeacher:
    """The old model in memory, with the student's tokenizer.

    Parameters
    ----------
    model : transformers or PEFT model
    vocabulary : int
        Tokens that both models know.
    """

    def __init__(self, model: Any, vocabulary: int) -> None:
        self._model, self._vocabulary = model, vocabulary

    def teach(
        self, batch: Mapping[str, torch.Tensor], places: Places, *, fused: bool
    ) -> TeacherRows:
        """Give the old model's rows for the tokens of a batch."""
        device = batch["input_ids"].device
        if next(self._model.parameters()).device != device:
            self._model.to(device)
        with torch.no_grad():
            return _read_rows(self._model, batch, places, vocabulary=self._vocabulary, fused=fused)


class Distillation(torch.nn.Module):
    """The student beside its teachers.

    Parameters
    ----------
    student : LoadedModel
        The new model: one base for the trained adapter and the new teacher, one active at a time.
    old : OldTeacher
    settings : LossSettings
    vocabulary : int
        Tokens of the loss: those that both models know.
    replay_weight : float
        Weight of replayed answers beside the gold data.
    fused : bool
    """

    def __init__(
        self,
        student: LoadedModel,
        old: OldTeacher,
        settings: LossSettings,
        *,
        vocabulary: int,
        replay_weight: float = 1.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        self.student = student.model
        self.settings = settings
        # A tuple hides the teachers from torch: DDP and checkpoints must not see them.
        self._teachers = (old, student)
        self._vocabulary, self._replay_weight, self._fused = vocabulary, replay_weight, fused

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        weights: torch.Tensor,
        replayed: torch.Tensor,
        totals: torch.Tensor | None = None,
        settings: Sequence[LossSettings] | None = None,
        **others: torch.Tensor,
    ) -> LossParts | list[LossParts]:
        """Compute the loss of a batch of B rows of L tokens.

        Parameters
        ----------
        input_ids, attention_mask, labels : Tensor of int, shape (B, L)
            Labels are the tokens again, `IGNORED` where they take no part.
        weights : Tensor of float, shape (B,)
            Of examples.
        replayed : Tensor of bool, shape (B,)
            Which rows the old model answered.
        totals : Tensor of float, shape (2,), optional
            Tokens of the loss in the whole accumulated batch, gold and replayed, over which each
            kind is a mean; by default those of this batch.
        settings : sequence of LossSettings, optional
            Several losses of the same batch, instead of the module's own.
        **others
            ``examples``, the places by which stored teachers find their rows.

        Returns
        -------
        LossParts, or a list of them
        """
        batch = {"input_ids": input_ids, "attention_mask": attention_mask, **others}
        places = Places(*torch.nonzero(labels[:, 1:] != IGNORED, as_tuple=True))
        tokens = self._tokens(labels, places, weights, replayed, totals)
        old, new = self._teachers
        old_rows = old.teach(batch, places, fused=self._fused)
        with torch.no_grad(), new.as_teacher() as model:
            new_rows = _read_rows(
                model, batch, places, vocabulary=self._vocabulary, fused=self._fused
            )
        loss = partial(self._loss(batch, places), tokens=tokens, old=old_rows, new=new_rows)
        if settings is None:
            return loss(settings=self.settings)
        return [loss(settings=one) for one in settings]

    def _loss(self, batch: Mapping[str, torch.Tensor], places: Places) -> Callable[..., LossParts]:
        """Run the student, and give the loss as a function of tokens, teachers and settings."""
        if self._fused:
            hidden = last_hidden(self.student, batch)[places]
            return partial(
                fused_compatibility_loss, hidden, *head_of(self.student, self._vocabulary)
            )
        logits = all_logits(self.student, batch)[places][:, : self._vocabulary]

        def loss(
            *, tokens: Tokens, old: TeacherRows, new: TeacherRows, settings: LossSettings
        ) -> LossParts:
            temperature = settings.temperature
            of_student = (logits.detach().float() / temperature).log_softmax(1)
            everywhere = torch.ones_like(tokens.replayed)
            # Log-probabilities at T, times T, are logits.
            old_rows, new_rows = (
                rows.log_probabilities(everywhere, temperature, of_student) * temperature
                for rows in (old, new)
            )
            return compatibility_loss(
                logits,
                tokens.labels,
                old=old_rows,
                new=new_rows,
                settings=settings,
                weights=tokens.weights,
                sequences=tokens.sequences,
                replayed=tokens.replayed,
                old_facts=old.facts(tokens.labels),
            )

        return loss

    def _tokens(
        self,
        labels: torch.Tensor,
        places: Places,
        weights: torch.Tensor,
        replayed: torch.Tensor,
        totals: torch.Tensor | None,
    ) -> Tokens:
        of_rows = replayed[places.rows]
        if totals is None:
            totals = count_tokens(labels, replayed)
        kinds = 1 / totals.clamp(min=1).float()
        kinds = kinds * kinds.new_tensor([1.0, self._replay_weight])
        return Tokens(
            labels[places.rows, places.columns + 1],
            weights[places.rows] * kinds[of_rows.long()],
            places.rows,
            of_rows,
        )


def count_tokens(labels: torch.Tensor, replayed: torch.Tensor) -> torch.Tensor:
    """Count the tokens of the loss, gold and replayed; shape (2,)."""
    by_row = (labels[:, 1:] != IGNORED).sum(1).float()
    kinds = by_row.new_zeros(2)
    return kinds.index_add(0, replayed.long(), by_row)


def _read_rows(
    model: Any,
    batch: Mapping[str, torch.Tensor],
    places: Places,
    *,
    vocabulary: int,
    fused: bool,
) -> TeacherRows:
    """Run a teacher over a batch; unfused keeps logits, fused keeps hidden states."""
    if not fused:
        return LogitRows(all_logits(model, batch)[places][:, :vocabulary])
    weight, bias = head_of(model, vocabulary)
    return HeadRows(last_hidden(model, batch)[places], weight, bias)
