"""Running a causal language model as a body and a head, or as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["all_logits", "head_of", "is_plain_head", "last_hidden"]


def last_hidden(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Run all of a causal language model but its head; shape (B, L, H).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> def body(input_ids, **_): return SimpleNamespace(last_hidden_state=2 * input_ids)
    >>> batch = {"input_ids": torch.ones(1, 1), "attention_mask": torch.ones(1, 1)}
    >>> last_hidden(SimpleNamespace(base_model=body), batch)
    tensor([[2.]])
    """
    body = _causal(model).base_model
    output = body(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    )
    hidden: torch.Tensor = output.last_hidden_state
    return hidden


def all_logits(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Run a causal language model; logits of shape (B, L, V).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> def model(input_ids, **_): return SimpleNamespace(logits=3 * input_ids)
    >>> all_logits(model, {"input_ids": torch.ones(1, 1), "attention_mask": torch.ones(1, 1)})
    tensor([[3.]])
    """
    output = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    )
    logits: torch.Tensor = output.logits
    return logits


def head_of(model: Any, vocabulary: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weight (V, H) and bias (V,) of a model's head, for the first tokens of its vocabulary.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(get_output_embeddings=lambda: torch.nn.Linear(4, 9))
    >>> [values.shape for values in head_of(model, 8)]
    [torch.Size([8, 4]), torch.Size([8])]
    """
    head = _causal(model).get_output_embeddings()
    # An adapter that trains the head wraps it.
    head = head.modules_to_save[head.active_adapter] if hasattr(head, "modules_to_save") else head
    bias = getattr(head, "bias", None)
    return head.weight[:vocabulary], None if bias is None else bias[:vocabulary]


def is_plain_head(model: Any) -> bool:
    """Say whether a model's logits are its head's product with its last hidden states.

    Some models scale or cap their logits, or train an adapter on the head; they cannot be fused.

    Raises
    ------
    InputError
        If the model has no head over a vocabulary.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> is_plain_head(SimpleNamespace(get_output_embeddings=lambda: None))
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected a causal language model, got SimpleNamespace...
    """
    causal = _causal(model)
    head = causal.get_output_embeddings()
    if head is None or not hasattr(causal, "base_model"):
        raise InputError(
            f"expected a causal language model, got {type(causal).__name__} without a head: load "
            "it with AutoModelForCausalLM"
        )
    if not hasattr(head, "modules_to_save") and not isinstance(head, torch.nn.Linear):
        return False
    device = next(model.parameters()).device
    probe = torch.arange(1, 5, device=device)[None] % causal.config.get_text_config().vocab_size
    batch = {"input_ids": probe, "attention_mask": torch.ones_like(probe)}
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = all_logits(model, batch).float()
        weight, bias = head_of(model, logits.shape[-1])
        ours = torch.nn.functional.linear(last_hidden(model, batch), weight, bias).float()
    model.train(was_training)
    return ours.shape == logits.shape and torch.allclose(ours, logits, rtol=1e-3, atol=1e-3)


def _causal(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model
