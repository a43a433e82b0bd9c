"""Losses of the compatibility adapter: pure functions of logits, one row per token.

Every distillation here is one family: pick or mix the teachers' row, then one divergence per token,

    L = sum_i weight_i (lambda f_i D(m_i p_old,i + (1 - m_i) p_new,i, p_i) + (1 - lambda) CE_i)

where p are the probabilities at temperature T (without a factor of T^2), m_i the old model's share
of the teacher, which the strategy chooses, and f_i the emphasis of the focal strategy. The forward
KL to a mixture is the mixture of forward KLs plus a constant, so switches, ensembles and weighted
teachers are one loss. N is the number of tokens and V the size of the vocabulary throughout.

References
----------
Echterhoff et al. 2024, MUSCLE (arXiv 2407.09435), equations 1, 4 and 5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from muscle_metrics.adapter.loss.strategies import (
    IGNORED,
    Divergence,
    LossSettings,
    TokenFacts,
    Tokens,
    at_least_single,
    observe_tokens,
    share_of_old,
)
from muscle_metrics.errors import InputError

__all__ = [
    "LossParts",
    "check_tokens",
    "compatibility_loss",
    "measure_divergence",
    "mix_teachers",
]


class LossParts(NamedTuple):
    """A loss and its parts.

    Parameters
    ----------
    loss : Tensor, shape ()
        Weighted sum over the rows; the only part that carries a gradient.
    old_share : Tensor, shape (N,)
        m of each row, in [0, 1].
    divergence : Tensor, shape (N,)
        Divergence of the student from the teacher of each row, in nats.
    cross_entropy : Tensor, shape (N,)
        Cross-entropy of each row with its label, in nats; nan where the loss skips the row.
    """

    loss: torch.Tensor
    old_share: torch.Tensor
    divergence: torch.Tensor
    cross_entropy: torch.Tensor


def mix_teachers(old: torch.Tensor, new: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Mix two teachers' log-probabilities, shape (N, V), by m in [0, 1], shape (N,)."""
    # log(m p_old + (1 - m) p_new)
    share = share[:, None].to(old.dtype)
    # At a share of 0 or 1 one side is -inf, and logaddexp returns the other row exactly.
    return torch.logaddexp(old + share.log(), new + (-share).log1p())


def measure_divergence(
    teacher: torch.Tensor, student: torch.Tensor, divergence: Divergence
) -> torch.Tensor:
    """Measure how far the student's distribution is from the teacher's, per token.

    Both are log-probabilities, shape (N, V). The result is in nats, shape (N,): at least 0, and at
    most log 2 for the Jensen-Shannon divergence.
    """
    if divergence == "forward_kl":
        return _kl(teacher, student)
    if divergence == "reverse_kl":
        return _kl(student, teacher)
    middle = torch.logaddexp(teacher, student) - math.log(2)
    return (_kl(teacher, middle) + _kl(student, middle)) / 2


def _kl(of: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    # KL(p || q) = sum p (log p - log q), where 0 log 0 = 0 even if q is 0 too.
    terms = of.exp() * (of - to)
    return terms.masked_fill(of == -math.inf, 0.0).sum(1)


def compatibility_loss(
    student: torch.Tensor,
    labels: torch.Tensor,
    *,
    old: torch.Tensor,
    new: torch.Tensor,
    settings: LossSettings | None = None,
    weights: torch.Tensor | None = None,
    sequences: torch.Tensor | None = None,
    replayed: torch.Tensor | None = None,
    old_facts: TokenFacts | None = None,
) -> LossParts:
    """Compute the loss from all logits at once: the reference of the fused form.

    Parameters
    ----------
    student, old, new : Tensor, shape (N, V)
        Logits of one vocabulary. The teachers get no gradient.
    labels : Tensor of int, shape (N,)
        Right tokens. Rows labelled `IGNORED` take no part.
    settings : LossSettings, optional
    weights : Tensor of float, shape (N,), optional
        Weight of each row in the sum; by default 1 over the number of rows that take part.
    sequences : Tensor of int, shape (N,), optional
        Sequence that each row belongs to; by default all belong to one.
    replayed : Tensor of bool, shape (N,), optional
        Rows that the old model answered; none by default.
    old_facts : TokenFacts, optional
        How the old model rates the rows that take part; by default read from its logits.

    Returns
    -------
    LossParts
        The rows that take part, in order.

    Raises
    ------
    InputError
        If shapes do not fit, or no row takes part.

    References
    ----------
    MUSCLE (arXiv 2407.09435), equations 1 and 5.

    Examples
    --------
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> old, new = torch.zeros(2, 2), torch.ones(2, 2)
    >>> parts = compatibility_loss(logits, torch.tensor([0, 1]), old=old, new=new)
    >>> parts.loss.backward()
    >>> round(parts.loss.item(), 4)
    0.1201
    """
    settings = settings or LossSettings()
    if not student.shape == old.shape == new.shape:
        raise InputError(
            f"expected logits of one shape (tokens, vocabulary), got {tuple(student.shape)} of the "
            f"student, {tuple(old.shape)} of old and {tuple(new.shape)} of new: models with other "
            "tokenizers need retokenised teachers"
        )
    taken = labels != IGNORED
    tokens = check_tokens(
        Tokens(
            labels[taken],
            torch.full_like(labels[taken], 1 / max(int(taken.sum()), 1), dtype=torch.float32)
            if weights is None
            else weights[taken],
            (torch.zeros_like(labels) if sequences is None else sequences)[taken],
            (torch.zeros_like(taken) if replayed is None else replayed)[taken],
        )
    )
    student = at_least_single(student[taken])
    old, new = at_least_single(old[taken].detach()), at_least_single(new[taken].detach())
    share, emphasis = share_of_old(
        settings,
        tokens,
        student=observe_tokens(student, tokens.labels),
        old=old_facts or observe_tokens(old, tokens.labels),
    )
    # D_i = D(m_i p_old,i + (1 - m_i) p_new,i, p_i) at temperature T (equation 1)
    teacher = mix_teachers(
        (old / settings.temperature).log_softmax(1),
        (new / settings.temperature).log_softmax(1),
        share,
    )
    divergence = measure_divergence(
        teacher, (student / settings.temperature).log_softmax(1), settings.divergence
    )
    cross_entropy = torch.nn.functional.cross_entropy(student, tokens.labels, reduction="none")
    # L_i = lambda f_i D_i + (1 - lambda) CE_i (equation 5); lambda = 1 on replayed answers.
    distilled = torch.where(tokens.replayed, 1.0, settings.distillation_weight)
    rows = distilled * emphasis * divergence + (1 - distilled) * cross_entropy
    loss = (tokens.weights * rows).sum()
    entropy = torch.where(distilled < 1, cross_entropy.detach(), math.nan)
    return LossParts(loss, share, divergence.detach(), entropy)


def check_tokens(tokens: Tokens) -> Tokens:
    """Refuse a loss over no tokens, which would be nan."""
    if not len(tokens.labels):
        raise InputError(
            "expected at least 1 token in the loss, got a batch in which every label is ignored: "
            "raise max_length so that completions are not cut off, or check the data"
        )
    return tokens
