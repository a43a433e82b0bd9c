"""What a teacher says of each token: rows of log-probabilities, made only where they are asked for.

A loss goes through its tokens in chunks. It cuts each teacher to the chunk, asks for facts where
the strategy needs them, and for the rows that this teacher teaches. N is the number of tokens of
the chunk, V the size of the vocabulary.
"""

from __future__ import annotations

from typing import Protocol

import torch

from muscle_metrics.adapter.loss.losses import mix_teachers
from muscle_metrics.adapter.loss.strategies import TokenFacts, at_least_single, observe_tokens

__all__ = ["HeadRows", "LogitRows", "TeacherRows", "teach"]


class TeacherRows(Protocol):
    """One teacher's view of the tokens."""

    def cut(self, rows: slice) -> TeacherRows:
        """View of some of the rows."""

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Say what the teacher makes of the right tokens, at temperature 1; shapes (N,)."""

    def log_probabilities(
        self, chosen: torch.Tensor, temperature: float, student: torch.Tensor
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, a tensor of bool of shape (N,); shape (n, V).

        `student` are the student's own log-probabilities, shape (N, V), without gradient: they
        stand in where a teacher keeps only its most likely tokens.
        """


class LogitRows:
    """A teacher whose logits are at hand.

    Parameters
    ----------
    logits : Tensor, shape (N, V)
    """

    def __init__(self, logits: torch.Tensor) -> None:
        self._logits = logits

    def cut(self, rows: slice) -> LogitRows:
        """View of some of the rows."""
        return LogitRows(self._logits[rows])

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Say what the teacher makes of the right tokens, at temperature 1."""
        return observe_tokens(self._logits, labels)

    def log_probabilities(
        self,
        chosen: torch.Tensor,
        temperature: float,
        student: torch.Tensor,
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, shape (n, V)."""
        logits = at_least_single(self._logits[chosen])
        return (logits / temperature).log_softmax(1)


class HeadRows:
    """A teacher that multiplies by its head when asked, and only for the rows asked for.

    Parameters
    ----------
    hidden : Tensor, shape (N, H)
        Last hidden states.
    weight : Tensor, shape (V, H)
        Of the head.
    bias : Tensor, shape (V,), optional
    """

    def __init__(
        self, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
    ) -> None:
        self._hidden, self._weight, self._bias = hidden, weight, bias
        self._known: LogitRows | None = None

    def cut(self, rows: slice) -> HeadRows:
        """View of some of the rows."""
        return HeadRows(self._hidden[rows], self._weight, self._bias)

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Say what the teacher makes of the right tokens, at temperature 1."""
        # Facts are asked first, and of all rows: what they cost is kept for the rows that follow.
        self._known = LogitRows(self._logits(self._hidden))
        return self._known.facts(labels)

    def log_probabilities(
        self, chosen: torch.Tensor, temperature: float, student: torch.Tensor
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, shape (n, V)."""
        if self._known is not None:
            return self._known.log_probabilities(chosen, temperature, student)
        hidden = self._hidden if bool(chosen.all()) else self._hidden[chosen]
        # In place: the logits are this call's own.
        return at_least_single(self._logits(hidden)).div_(temperature).log_softmax(1)

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(hidden, self._weight, self._bias)


def teach(
    share: torch.Tensor,
    *,
    old: TeacherRows,
    new: TeacherRows,
    temperature: float,
    student: torch.Tensor,
) -> torch.Tensor:
    """Make the teacher's row of each token, asking each model only for the rows it has a share in.

    Parameters
    ----------
    share : Tensor, shape (N,)
        m, the old model's share.
    old, new : TeacherRows
    temperature : float
    student : Tensor, shape (N, V)
        Log-probabilities of the student, without gradient.

    Returns
    -------
    Tensor, shape (N, V)
        Log-probabilities of the mixture.

    Examples
    --------
    >>> old, new = LogitRows(torch.zeros(1, 2)), LogitRows(torch.tensor([[0.0, 99.0]]))
    >>> rows = teach(torch.ones(1), old=old, new=new, temperature=1, student=torch.zeros(1, 2))
    >>> rows.exp()
    tensor([[0.5000, 0.5000]])
    """
    from_old, from_new = share > 0, share < 1
    if not bool(from_new.any()):
        return old.log_probabilities(from_old, temperature, student)
    if not bool(from_old.any()):
        return new.log_probabilities(from_new, temperature, student)
    old_rows = old.log_probabilities(from_old, temperature, student)
    new_rows = new.log_probabilities(from_new, temperature, student)
    mixed = from_old & from_new
    if bool(mixed.all()):
        return mix_teachers(old_rows, new_rows, share)
    rows = torch.empty_like(student)
    rows[~from_new] = old_rows[~from_new[from_old]]
    rows[~from_old] = new_rows[~from_old[from_new]]
    if bool(mixed.any()):
        rows[mixed] = mix_teachers(
            old_rows[from_new[from_old]], new_rows[from_old[from_new]], share[mixed]
        )
    return rows
