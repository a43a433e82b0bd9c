"""Strategies: which teacher teaches a token, and the settings of the loss as a whole.

A strategy gives each token m, the old model's share of its teacher: 1 is the old model, 0 the new
one. N is the number of tokens and V the size of the vocabulary.

References
----------
Echterhoff et al. 2024, MUSCLE (arXiv 2407.09435), equations 1 to 3 and table 7; Yan et al. 2021,
positive-congruent training (arXiv 2011.09161), focal distillation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import torch

from muscle_metrics.errors import UsageError, check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "IGNORED",
    "STRATEGIES",
    "Divergence",
    "LossSettings",
    "Strategy",
    "StrategyInputs",
    "TokenFacts",
    "Tokens",
    "at_least_single",
    "check_not_negative",
    "observe_tokens",
    "share_of_old",
]

Divergence: TypeAlias = Literal["forward_kl", "reverse_kl", "jsd"]

# The label of a token that takes no part in the loss, as in transformers.
IGNORED = -100


class TokenFacts(NamedTuple):
    """How one model rates the right tokens.

    Parameters
    ----------
    right : Tensor of bool, shape (N,)
        Whether the most likely token is the right one.
    log_likelihood : Tensor of float, shape (N,)
        Natural logarithm of the probability of the right token, at temperature 1.
    """

    right: torch.Tensor
    log_likelihood: torch.Tensor

    def cut(self, rows: slice) -> TokenFacts:
        """Facts of some of the rows."""
        return TokenFacts(self.right[rows], self.log_likelihood[rows])


class Tokens(NamedTuple):
    """The tokens of a loss.

    Parameters
    ----------
    labels : Tensor of int, shape (N,)
        Right token of each row.
    weights : Tensor of float, shape (N,)
        Weight of each row in the sum; 1 / N for the mean. Weights of examples go in here.
    sequences : Tensor of int, shape (N,)
        Sequence that each row belongs to, from 0.
    replayed : Tensor of bool, shape (N,)
        Rows of answers that the old model gave: distilled to the replay mixture, never by
        cross-entropy, since their labels are not known to be right.
    """

    labels: torch.Tensor
    weights: torch.Tensor
    sequences: torch.Tensor
    replayed: torch.Tensor

    def cut(self, rows: slice) -> Tokens:
        """Tokens of some of the rows."""
        return Tokens(*(values[rows] for values in self))


class StrategyInputs(NamedTuple):
    """What a strategy chooses by.

    Parameters
    ----------
    settings : LossSettings
    student, old : TokenFacts
        nan and false for a model that the strategy does not ask about.
    sequences : Tensor of int, shape (N,)
    """

    settings: LossSettings
    student: TokenFacts
    old: TokenFacts
    sequences: torch.Tensor


class Strategy(NamedTuple):
    """How the old model's share of the teacher is chosen, and which facts the choice needs.

    Parameters
    ----------
    source : str
        Paper and rule, in words.
    share : callable
        From `StrategyInputs` to m, shape (N,).
    asks_student, asks_old : bool
        Whether the facts of the student, or of the old model, are needed.
    """

    source: str
    share: Callable[[StrategyInputs], torch.Tensor]
    asks_student: bool = False
    asks_old: bool = False


def _everywhere(share: float, sequences: torch.Tensor) -> torch.Tensor:
    return torch.full_like(sequences, share, dtype=torch.float32)


def _old_likelier(inputs: StrategyInputs) -> torch.Tensor:
    # m_i = 1[p_C(y_i) < p_v1(y_i)] (equation 2)
    return inputs.student.log_likelihood < inputs.old.log_likelihood


def _old_likelier_by_majority(inputs: StrategyInputs) -> torch.Tensor:
    # m = 1 on all tokens of a sequence if equation 2 holds for more than half of them (equation 3)
    sequences = inputs.sequences
    if not len(sequences):
        return sequences.float()
    votes = torch.where(_old_likelier(inputs), 1.0, -1.0)
    balance = votes.new_zeros(int(sequences.max()) + 1).index_add(0, sequences, votes)
    return (balance[sequences] > 0).float()


STRATEGIES: dict[str, Strategy] = {
    "student_incorrect": Strategy(
        "MUSCLE, equation 1: the old model where the student errs, else the new one",
        # m_i = 1[argmax z_C,i != y_i] (equation 1)
        lambda inputs: (~inputs.student.right).float(),
        asks_student=True,
    ),
    "old_correct": Strategy(
        "MUSCLE, table 7: the old model where it is right, else the new one",
        # m_i = 1[argmax z_v1,i = y_i]
        lambda inputs: inputs.old.right.float(),
        asks_old=True,
    ),
    "old_only": Strategy(
        "MUSCLE, table 7: the old model everywhere",
        lambda inputs: _everywhere(1.0, inputs.sequences),
    ),
    "token_likelihood": Strategy(
        "MUSCLE, equation 2: the old model where it gives the right token more probability",
        lambda inputs: _old_likelier(inputs).float(),
        asks_student=True,
        asks_old=True,
    ),
    "sequence_likelihood": Strategy(
        "MUSCLE, equation 3: the same, by majority of the tokens of a sequence",
        _old_likelier_by_majority,
        asks_student=True,
        asks_old=True,
    ),
    "mixture": Strategy(
        "the weighted mean of both, ELODI's ensemble for one half",
        lambda inputs: _everywhere(inputs.settings.old_share, inputs.sequences),
    ),
    "old_correct_mixture": Strategy(
        "the old model where it is right, else the mixture",
        lambda inputs: torch.where(inputs.old.right, 1.0, inputs.settings.old_share),
        asks_old=True,
    ),
    "focal": Strategy(
        "PCT: the old model everywhere, with more weight where it is right",
        lambda inputs: _everywhere(1.0, inputs.sequences),
        asks_old=True,
    ),
    "new_only": Strategy(
        "plain self-distillation from the new model",
        lambda inputs: _everywhere(0.0, inputs.sequences),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSettings:
    """Settings of the compatibility loss.

    Parameters
    ----------
    strategy : str
        A key of `STRATEGIES`.
    temperature : float
        T, by which logits are divided before they become probabilities.
    divergence : {"forward_kl", "reverse_kl", "jsd"}
        KL(teacher || student), KL(student || teacher) or the mean of both to their middle.
    distillation_weight : float
        lambda in [0, 1]; the rest is cross-entropy with the labels (MUSCLE, equation 5).
    old_share : float
        Weight of the old model in the mixtures, in [0, 1].
    replay_share : float
        Weight of the old model in the teacher of replayed answers, in [0, 1].
    focal_base, focal_boost : float
        alpha and beta of PCT: a token weighs alpha, and beta more where the old model is right.

    Raises
    ------
    UsageError
        If the strategy or the divergence is unknown, or a number is out of range.

    Examples
    --------
    >>> LossSettings(strategy="mixture").temperature
    2.0
    """

    strategy: str = "old_correct"
    temperature: float = 2.0
    divergence: Divergence = "forward_kl"
    distillation_weight: float = 1.0
    old_share: float = 0.5
    replay_share: float = 0.7
    focal_base: float = 1.0
    focal_boost: float = 5.0

    def __post_init__(self) -> None:
        check_choice("strategy", self.strategy, STRATEGIES)
        check_choice("divergence", self.divergence, get_args(Divergence))
        for name in ("distillation_weight", "old_share", "replay_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(
                    f"expected {name} to be a share between 0 and 1, got {getattr(self, name)!r}"
                )
        if not 0 < self.temperature < math.inf:
            raise UsageError(
                f"expected temperature to be a number above 0, got {self.temperature!r}: try 2"
            )
        check_not_negative(self, ("focal_base", "focal_boost"))

    def rule(self) -> Strategy:
        """Strategy of that name."""
        return STRATEGIES[self.strategy]

    def towards(self, strategy: str) -> LossSettings:
        """Copy of the settings with another strategy and no cross-entropy."""
        return replace(self, strategy=strategy, distillation_weight=1.0)


def check_not_negative(settings: object, names: Iterable[str]) -> None:
    """Refuse settings below 0, infinite ones and nan."""
    for name in names:
        if not 0 <= getattr(settings, name) < math.inf:
            raise UsageError(
                f"expected {name} to be a number of at least 0, got {getattr(settings, name)!r}"
            )


def observe_tokens(logits: torch.Tensor, labels: torch.Tensor) -> TokenFacts:
    """Rate the right tokens, shape (N,), by logits, shape (N, V); without gradient."""
    logits = at_least_single(logits.detach())
    of_label = logits.gather(1, labels[:, None]).squeeze(1)
    return TokenFacts(logits.argmax(1) == labels, of_label - logits.logsumexp(1))


def share_of_old(
    settings: LossSettings, tokens: Tokens, *, student: TokenFacts, old: TokenFacts
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose how much of each row's teacher is the old model, and how much the row counts.

    The facts of a model are used only by strategies that ask about it.

    Returns
    -------
    share : Tensor of float, shape (N,)
        m, in [0, 1].
    emphasis : Tensor of float, shape (N,)
        Factor of the row's divergence; 1 but for the focal strategy.
    """
    share = settings.rule().share(StrategyInputs(settings, student, old, tokens.sequences))
    share = torch.where(tokens.replayed, settings.replay_share, share)
    emphasis = torch.ones_like(share)
    if settings.strategy == "focal":
        boosted = settings.focal_base + settings.focal_boost * old.right.float()
        emphasis = torch.where(tokens.replayed, 1.0, boosted)
    return share, emphasis


def at_least_single(logits: torch.Tensor) -> torch.Tensor:
    """Widen half precision, in which a softmax over a vocabulary loses its small probabilities."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
