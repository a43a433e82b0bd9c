"""The loss from hidden states: head, softmax, loss and gradient chunk by chunk, nothing else kept.

Logits of N tokens over a vocabulary of V are the largest tensors of a training step, and a loss of
three models holds several of them. Here each chunk of tokens is multiplied by the head, compared
with its teachers and turned into the gradient of its hidden states at once. A head that is not
trained, as under LoRA, then needs nothing in the backward pass; the gradient of one that is trained
is summed up over the chunks. The call belongs inside the forward pass of the module that is
distributed: the gradient reaches the adapter through autograd, and so through the reducer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from muscle_metrics.adapter.loss.losses import LossParts, check_tokens, measure_divergence
from muscle_metrics.adapter.loss.rows import TeacherRows, teach
from muscle_metrics.adapter.loss.strategies import (
    Divergence,
    LossSettings,
    TokenFacts,
    Tokens,
    at_least_single,
    observe_tokens,
    share_of_old,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CHUNK_BYTES", "fused_compatibility_loss"]

# Size of one chunk's logits. A handful of tensors of this size live at once; larger chunks do not
# make the products of the head any faster, smaller ones do not use the cores.
CHUNK_BYTES = 16 << 20


class _Student(NamedTuple):
    hidden: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None

    def logits(self, rows: slice) -> torch.Tensor:
        return at_least_single(
            torch.nn.functional.linear(self.hidden[rows], self.weight, self.bias)
        )


def fused_compatibility_loss(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    tokens: Tokens,
    old: TeacherRows,
    new: TeacherRows,
    settings: LossSettings,
    chunk: int | None = None,
) -> LossParts:
    """Compute the loss, and its gradient, from the student's hidden states.

    Parameters
    ----------
    hidden : Tensor, shape (N, H)
        Last hidden states of the student.
    weight : Tensor, shape (V, H)
        Of the student's head. It gets a gradient if it requires one.
    bias : Tensor, shape (V,), optional
    tokens : Tokens
        Rows that take part; all of length N.
    old, new : TeacherRows
        The teachers; no gradient reaches them.
    settings : LossSettings
    chunk : int, optional
        Rows at a time; by default as many as fill `CHUNK_BYTES`.

    Returns
    -------
    LossParts
        Equal to that of `compatibility_loss` to the rounding of sums.

    Raises
    ------
    InputError
        If there is no row.

    Examples
    --------
    >>> from muscle_metrics.adapter.loss.rows import LogitRows
    >>> hidden = torch.ones(1, 2, requires_grad=True)
    >>> tokens = Tokens(
    ...     torch.tensor([1]), torch.ones(1), torch.tensor([0]), torch.tensor([False])
    ... )
    >>> parts = fused_compatibility_loss(
    ...     hidden,
    ...     torch.eye(2),
    ...     tokens=tokens,
    ...     old=LogitRows(torch.tensor([[0.0, 1.0]])),
    ...     new=LogitRows(torch.zeros(1, 2)),
    ...     settings=LossSettings(strategy="old_correct", temperature=1),
    ... )
    >>> parts.loss.backward()
    >>> hidden.grad
    tensor([[ 0.2311, -0.2311]])
    """
    check_tokens(tokens)
    chunk = chunk or max(CHUNK_BYTES // (4 * weight.shape[0]), 1)
    apply: Callable[..., tuple[torch.Tensor, ...]] = _FusedLoss.apply
    loss, *parts = apply(hidden, weight, bias, tokens, old, new, settings, chunk)
    return LossParts(loss, *parts)


class _FusedLoss(torch.autograd.Function):
    """Gradients are made in the forward pass and only scaled in the backward pass."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[torch.Tensor, ...]:
        hidden, weight, bias, tokens, old, new, settings, chunk = arguments
        student = _Student(hidden, weight, bias)
        wanted = ctx.needs_input_grad[:3]
        gradients = _Gradients(student, wanted)
        share, emphasis = _shares_by_sequence(student, tokens, old, settings, chunk)
        parts: list[tuple[torch.Tensor, ...]] = []
        for rows in _chunks(len(hidden), chunk):
            part = Tokens(*(values[rows] for values in tokens))
            logits = student.logits(rows)
            old_part, new_part = old.cut(rows), new.cut(rows)
            if share is None:
                chosen = _choose(settings, part, logits, old_part)
            else:
                chosen = share[rows], emphasis[rows]
            by_row, gradient = _loss_of_chunk(
                logits, part, chosen, old_part, new_part, settings, want_gradient=any(wanted)
            )
            parts.append(by_row)
            gradients.add(rows, gradient)
        losses, *seen = (torch.cat(columns) for columns in zip(*parts, strict=True))
        ctx.save_for_backward(*gradients.results())
        ctx.mark_non_differentiable(*seen)
        return (losses.sum(), *seen)

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        gradients = (
            None if gradient is None else gradient * outer[0].to(gradient.dtype)
            for gradient in ctx.saved_tensors
        )
        return (*gradients, None, None, None, None, None)


class _Gradients:
    """Gradients of hidden states, weight and bias, summed up in single precision at least."""

    def __init__(self, student: _Student, wanted: tuple[bool, ...]) -> None:
        self._student, self._wanted = student, wanted
        self._sums: list[torch.Tensor | None] = [
            torch.zeros_like(values, dtype=_summing(values.dtype))
            if want and values is not None
            else None
            for values, want in zip(student, wanted, strict=True)
        ]

    def add(self, rows: slice, logits: torch.Tensor | None) -> None:
        if logits is None:
            return
        hidden, weight, bias = self._sums
        # As autograd would: products in the precision of the head, sums in at least single.
        narrow = logits.to(self._student.weight.dtype)
        if hidden is not None:
            hidden[rows] = narrow @ self._student.weight
        if weight is not None:
            weight += narrow.T @ self._student.hidden[rows]
        if bias is not None:
            bias += logits.sum(0)

    def results(self) -> list[torch.Tensor | None]:
        return [
            None if gradient is None or values is None else gradient.to(values.dtype)
            for gradient, values in zip(self._sums, self._student, strict=True)
        ]


def _summing(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


def _chunks(length: int, chunk: int) -> Iterator[slice]:
    for start in range(0, length, chunk):
        yield slice(start, min(start + chunk, length))


def _nothing_known(tokens: Tokens) -> TokenFacts:
    unknown = torch.full_like(tokens.labels, math.nan, dtype=torch.float32)
    return TokenFacts(torch.zeros_like(tokens.replayed), unknown)


def _choose(
    settings: LossSettings, tokens: Tokens, logits: torch.Tensor, old: TeacherRows
) -> tuple[torch.Tensor, torch.Tensor]:
    rule = settings.rule()
    student = observe_tokens(logits, tokens.labels) if rule.asks_student else None
    of_old = old.facts(tokens.labels) if rule.asks_old else None
    unknown = _nothing_known(tokens)
    return share_of_old(settings, tokens, student=student or unknown, old=of_old or unknown)


def _shares_by_sequence(
    student: _Student, tokens: Tokens, old: TeacherRows, settings: LossSettings, chunk: int
) -> tuple[Any, Any]:
    """Shares of all rows where a row's share depends on others of its sequence, else nothing."""
    if settings.strategy != "sequence_likelihood":
        return None, None
    facts: list[tuple[TokenFacts, TokenFacts]] = []
    for rows in _chunks(len(student.hidden), chunk):
        labels = tokens.labels[rows]
        facts.append((observe_tokens(student.logits(rows), labels), old.cut(rows).facts(labels)))
    of_student, of_old = (
        TokenFacts(*(torch.cat(columns) for columns in zip(*side, strict=True)))
        for side in zip(*facts, strict=True)
    )
    return share_of_old(settings, tokens, student=of_student, old=of_old)


def _loss_of_chunk(
    logits: torch.Tensor,
    tokens: Tokens,
    chosen: tuple[torch.Tensor, torch.Tensor],
    old: TeacherRows,
    new: TeacherRows,
    settings: LossSettings,
    *,
    want_gradient: bool,
) -> tuple[tuple[torch.Tensor, ...], torch.Tensor | None]:
    """Weighted loss, share, divergence and cross-entropy by row, and the gradient of the logits."""
    share, emphasis = chosen
    distilled = torch.where(tokens.replayed, 1.0, settings.distillation_weight)
    by_entropy = tokens.weights * (1 - distilled)
    by_divergence = tokens.weights * distilled * emphasis
    entropy, gradient = _cross_entropy(logits, tokens.labels, by_entropy, want_gradient)
    student = (logits / settings.temperature).log_softmax(1)
    del logits
    teacher = teach(share, old=old, new=new, temperature=settings.temperature, student=student)
    divergence = measure_divergence(teacher, student, settings.divergence)
    losses = by_divergence * divergence + torch.where(by_entropy > 0, by_entropy * entropy, 0.0)
    if want_gradient:
        distances = _divergence_gradient(teacher, student, divergence, settings.divergence)
        distances *= (by_divergence / settings.temperature)[:, None]
        gradient = distances if gradient is None else gradient.add_(distances)
    return (losses, share, divergence, entropy), gradient


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, want_gradient: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Cross-entropy by row and its weighted gradient; nan where it has no part in the loss."""
    if not bool((weights > 0).any()):
        return torch.full_like(weights, math.nan, dtype=logits.dtype), None
    rows = logits.log_softmax(1)
    entropy = -rows.gather(1, labels[:, None]).squeeze(1)
    entropy = torch.where(weights > 0, entropy, math.nan)
    if not want_gradient:
        return entropy, None
    gradient = rows.exp_()
    gradient.scatter_add_(
        1, labels[:, None], torch.full_like(labels, -1, dtype=rows.dtype)[:, None]
    )
    return entropy, gradient.mul_(weights[:, None])


def _divergence_gradient(
    teacher: torch.Tensor, student: torch.Tensor, divergence: torch.Tensor, kind: Divergence
) -> torch.Tensor:
    """Gradient of each row's divergence by the student's logits over T; overwrites the student."""
    if kind == "forward_kl":
        return student.exp_().sub_(teacher.exp())
    if kind == "reverse_kl":
        probabilities = student.exp()
        return student.sub_(teacher).sub_(divergence[:, None]).mul_(probabilities)
    middle = torch.logaddexp(teacher, student) - math.log(2)
    probabilities = student.exp()
    distance = student.sub_(middle)
    mean = (probabilities * distance).sum(1, keepdim=True)
    return distance.sub_(mean).mul_(probabilities).div_(2)
