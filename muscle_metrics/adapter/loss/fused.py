"""The loss from hidden states: head, softmax, loss and gradient chunk by chunk, no logits kept.

Logits of N tokens over a vocabulary of V are the largest tensors of a training step, and a loss of
three models holds several of them. Here each chunk of tokens is multiplied by the head, compared
with its teachers and turned into the gradient of its hidden states at once. A frozen head, as under
LoRA, then needs no backward pass; the gradient of a trained head is summed over the chunks. The
call belongs inside the forward pass of the distributed module: the gradient then reaches the
adapter through autograd and the reducer.

A teacher is an object of `TeacherRows`: it is cut to each chunk, rates the right tokens where the
strategy asks, and gives log-probabilities only of the rows that it teaches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch

from muscle_metrics.adapter.loss.losses import (
    LossParts,
    check_tokens,
    measure_divergence,
    mix_teachers,
)
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

__all__ = [
    "CHUNK_BYTES",
    "HeadRows",
    "LogitRows",
    "TeacherRows",
    "fused_compatibility_loss",
]

# Size of one chunk's logits. About five tensors of this size live at once. On a CPU, larger chunks
# do not speed up the products of the head, and smaller ones leave cores idle.
CHUNK_BYTES = 16 << 20


class TeacherRows(Protocol):
    """One teacher's view of the tokens."""

    def cut(self, rows: slice) -> TeacherRows:
        """View of some of the rows."""

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Rate the right tokens at temperature 1; shapes (N,)."""

    def log_probabilities(
        self, chosen: torch.Tensor, temperature: float, student: torch.Tensor
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, a tensor of bool of shape (N,); shape (n, V).

        `student` are the student's own log-probabilities, shape (N, V), without gradient: a teacher
        that keeps only its most likely tokens fills the other tokens with them.
        """


class LogitRows:
    """A teacher whose logits are at hand.

    Parameters
    ----------
    logits : Tensor, shape (N, V)
    known : TokenFacts, optional
        Facts from before the logits were rounded; by default they are read from the logits.
    """

    def __init__(self, logits: torch.Tensor, known: TokenFacts | None = None) -> None:
        self._logits, self._known = logits, known

    def cut(self, rows: slice) -> LogitRows:
        """View of some of the rows."""
        known = None if self._known is None else self._known.cut(rows)
        return LogitRows(self._logits[rows], known)

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Rate the right tokens at temperature 1."""
        return observe_tokens(self._logits, labels) if self._known is None else self._known

    def log_probabilities(
        self, chosen: torch.Tensor, temperature: float, student: torch.Tensor
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, shape (n, V)."""
        logits = at_least_single(self._logits[chosen])
        return (logits / temperature).log_softmax(1)


class HeadRows:
    """A teacher that multiplies by its head only when asked, and only the rows asked for.

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
        """Rate the right tokens at temperature 1."""
        # Facts are asked first and need the logits of all rows: keep them for `log_probabilities`.
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
        Rows of the loss; all of length N.
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
            part = tokens.cut(rows)
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
    """Shares of all rows, if a row's share depends on the other rows of its sequence."""
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
    teacher = _teach(share, old=old, new=new, temperature=settings.temperature, student=student)
    divergence = measure_divergence(teacher, student, settings.divergence)
    losses = by_divergence * divergence + torch.where(by_entropy > 0, by_entropy * entropy, 0.0)
    if want_gradient:
        distances = _divergence_gradient(teacher, student, divergence, settings.divergence)
        distances *= (by_divergence / settings.temperature)[:, None]
        gradient = distances if gradient is None else gradient.add_(distances)
    return (losses, share, divergence, entropy), gradient


def _teach(
    share: torch.Tensor,
    *,
    old: TeacherRows,
    new: TeacherRows,
    temperature: float,
    student: torch.Tensor,
) -> torch.Tensor:
    """Log-probabilities of the mixed teacher, shape (N, V).

    Each model is asked only for the rows in which it has a share. `student` are the student's
    log-probabilities, shape (N, V).
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


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, want_gradient: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Cross-entropy by row and its weighted gradient; nan where its weight is 0."""
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
    """Gradient of each row's divergence by the student's logits over T; overwrites the student.

    With teacher p, student q and middle r = (p + q) / 2, for logit j:
    KL(p || q): q_j - p_j;  KL(q || p): q_j (log q_j - log p_j - KL);
    JSD: q_j (log q_j - log r_j - KL(q || r)) / 2.
    """
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
