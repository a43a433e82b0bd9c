"""The settings of a training run, checked before anything is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

from muscle_metrics.adapter.loss.strategies import (
    Divergence,
    LossSettings,
    check_not_negative,
)
from muscle_metrics.errors import UsageError, check_choice

__all__ = ["CompatibilityConfig", "LossOver", "OldLogits", "Precision", "SelectBy"]

LossOver: TypeAlias = Literal["prompt_and_completion", "completion"]
OldLogits: TypeAlias = Literal["live", "full", "top_k"]
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]
SelectBy: TypeAlias = Literal["negative_flips", "loss"]

NAMED = {
    "divergence": Divergence,
    "loss_over": LossOver,
    "old_logits": OldLogits,
    "precision": Precision,
    "select_by": SelectBy,
}
AT_LEAST_ONE = (
    "accumulation",
    "batch_size",
    "epochs",
    "evaluation_batch_size",
    "lora_alpha",
    "lora_rank",
    "max_length",
    "max_new_tokens",
    "top_k",
)
SHARES = ("lora_dropout", "validation_share", "warmup_share")
NOT_NEGATIVE = ("max_gradient_norm", "minimum_effect", "replay_temperature", "replay_weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibilityConfig:
    """How the compatibility adapter is trained, and how the epoch that is kept is chosen.

    Parameters
    ----------
    strategy, temperature, divergence, old_share, replay_share, focal_base, focal_boost
        Of the loss: see `LossSettings`.
    distillation_weight : float, optional
        lambda in [0, 1]; the rest is cross-entropy. By default 1, but 0.5 where the new model is
        much better than the old one or has not converged on its training data: distillation alone
        then loses accuracy. The notes of the result give the reason.
    large_gap : float
        Difference of accuracies from which the new model counts as much better.
    converged_at : float
        Share of training examples whose completion the new model must predict without a mistake,
        token by token, to count as converged.
    loss_over : {"prompt_and_completion", "completion"}
        Tokens of the loss. MUSCLE takes both; it changes the result.
    epochs, batch_size, accumulation, learning_rate, warmup_share, weight_decay, max_gradient_norm
        Of the optimization; `batch_size` examples per process and step of accumulation, and the
        loss is the mean over all tokens of an accumulated batch. A `max_gradient_norm` of 0 clips
        nothing.
    max_length : int
        Most tokens of an example; longer prompts lose their beginning.
    delimiter : str
        Put between prompt and completion unless there is white space.
    precision : {"fp32", "bf16", "fp16"}
        Of the frozen models and of products; the adapter itself is trained in single precision.
    gradient_checkpointing : bool
        Recompute activations in the backward pass rather than keep them.
    lora_rank, lora_alpha, lora_dropout
        Of the adapter on all linear layers, where the new model brings none of its own.
    replay_weight : float
        Weight of the replayed answers beside the gold data, each a mean over its own tokens.
    replay_temperature : float
        0 replays the old model's most likely answers; above, its answers are drawn.
    old_logits : {"live", "full", "top_k"}
        Keep the old model in memory; or compute its logits once and store all of them, or the
        `top_k` most likely tokens with one bucket for the rest.
    top_k : int
        Tokens that are stored, or that another tokenizer's model scores.
    fused : bool
        Compute head and loss by chunks of tokens. Models whose logits are not the product of head
        and last hidden states are trained without.
    metric : str
        Scorer of generated answers, by name; choices are right or wrong.
    length_normalized : bool
        Divide log-likelihoods of choices by their length.
    max_new_tokens, evaluation_batch_size, stop
        Of evaluation and of replay.
    minimum_effect : float
        A graded score must change by more than this to count as a flip.
    validation_share : float
        Share of the training data held out where no validation data are given.
    select_by : {"negative_flips", "loss"}
        Keep the epoch with the least negative flips among those at least as accurate as the new
        model, or the one with the least validation loss. The start is a candidate either way.
    patience : int, optional
        Stop after so many epochs without a better one.
    seed : int
        Of the order of the data, of dropout and of draws.

    Raises
    ------
    UsageError
        If a setting is out of range.

    Examples
    --------
    >>> CompatibilityConfig(epochs=3).strategy
    'old_correct'
    """

    strategy: str = "old_correct"
    temperature: float = 2.0
    divergence: Divergence = "forward_kl"
    distillation_weight: float | None = None
    old_share: float = 0.5
    replay_share: float = 0.7
    focal_base: float = 1.0
    focal_boost: float = 5.0
    large_gap: float = 0.1
    converged_at: float = 0.9
    loss_over: LossOver = "prompt_and_completion"
    epochs: int = 10
    batch_size: int = 8
    accumulation: int = 1
    learning_rate: float = 1e-4
    warmup_share: float = 0.05
    weight_decay: float = 0.0
    max_gradient_norm: float = 1.0
    max_length: int = 1024
    delimiter: str = " "
    precision: Precision = "fp32"
    gradient_checkpointing: bool = False
    lora_rank: int = 128
    lora_alpha: int = 256
    lora_dropout: float = 0.0
    replay_weight: float = 1.0
    replay_temperature: float = 0.0
    old_logits: OldLogits = "live"
    top_k: int = 64
    fused: bool = True
    metric: str = "exact_match"
    length_normalized: bool = False
    max_new_tokens: int = 64
    evaluation_batch_size: int = 32
    stop: tuple[str, ...] = ()
    minimum_effect: float = 0.0
    validation_share: float = 0.2
    select_by: SelectBy = "negative_flips"
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in NAMED.items():
            check_choice(name, getattr(self, name), get_args(kind))
        for name in AT_LEAST_ONE:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UsageError(
                    f"expected {name} to be a whole number of at least 1, got {value!r}"
                )
        if self.patience is not None and self.patience < 1:
            raise UsageError(
                f"expected patience to be at least 1 epoch or none, got {self.patience!r}"
            )
        for name in SHARES:
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UsageError(f"expected {name} to be a share between 0 and 1, got {value!r}")
        check_not_negative(self, NOT_NEGATIVE)
        if not 0 < self.learning_rate < math.inf:
            raise UsageError(
                f"expected learning_rate to be above 0, got {self.learning_rate!r}: try 1e-4"
            )
        # `LossSettings` checks the other settings of the loss.
        self.loss_settings(1.0 if self.distillation_weight is None else self.distillation_weight)

    def loss_settings(self, distillation_weight: float) -> LossSettings:
        """Give the settings of the loss, with a lambda that is decided."""
        names = {field.name for field in fields(LossSettings)} - {"distillation_weight"}
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        return LossSettings(**values, distillation_weight=distillation_weight)
