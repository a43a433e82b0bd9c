"""Two models that answer as one: the upper bound of an adapter, at twice the cost per answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from muscle_metrics.adapter.loss.losses import mix_teachers
from muscle_metrics.errors import UsageError

__all__ = ["Ensemble"]


class Ensemble(torch.nn.Module):
    """Old and new model, whose probabilities of the next token are mixed.

    Parameters
    ----------
    old, new : transformers or PEFT models
        With one vocabulary.
    share : float
        Weight of the old model, in [0, 1].

    Raises
    ------
    UsageError
        If the share is out of range.

    Examples
    --------
    >>> Ensemble(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)).share
    0.5
    """

    def __init__(self, old: Any, new: Any, *, share: float = 0.5) -> None:
        super().__init__()
        if not 0 <= share <= 1:
            raise UsageError(f"expected share to be between 0 and 1, got {share!r}")
        self.old, self.new, self.share = old, new, share

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **options: Any
    ) -> SimpleNamespace:
        """Mix both models' distributions; ``.logits`` are log-probabilities, shape (B, L, V)."""
        logits = [
            model(input_ids=input_ids, attention_mask=attention_mask, **options).logits
            for model in (self.old, self.new)
        ]
        return SimpleNamespace(logits=self._mix(*logits))

    def _mix(self, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        rows = [values.flatten(0, -2).float().log_softmax(-1) for values in (old, new)]
        share = rows[0].new_full((len(rows[0]),), self.share)
        return mix_teachers(rows[0], rows[1], share).view_as(old)

    @torch.no_grad()
    def generate(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, generation_config: Any
    ) -> torch.Tensor:
        """Continue left-padded prompts, as ``transformers`` models do.

        Parameters
        ----------
        input_ids, attention_mask : Tensor of int, shape (B, L)
        generation_config : transformers.GenerationConfig
            Used: max_new_tokens, eos_token_id, pad_token_id, do_sample and temperature.

        Returns
        -------
        Tensor of int, shape (B, L + new tokens)
        """
        end, padding = generation_config.eos_token_id, generation_config.pad_token_id
        tokens, caches = input_ids, [None, None]
        running = torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        for _ in range(generation_config.max_new_tokens):
            # With a cache, only the newest token is run.
            fresh = tokens if caches[0] is None else tokens[:, -1:]
            positions = (attention_mask.cumsum(1) - 1).clamp(min=0)[:, -fresh.shape[1] :]
            logits = []
            for place, model in enumerate((self.old, self.new)):
                output = model(
                    input_ids=fresh,
                    attention_mask=attention_mask,
                    position_ids=positions,
                    past_key_values=caches[place],
                    use_cache=True,
                )
                caches[place] = output.past_key_values
                logits.append(output.logits[:, -1])
            following = _next_tokens(self._mix(*logits), generation_config)
            following = torch.where(running, following, padding)
            tokens = torch.cat([tokens, following[:, None]], dim=1)
            attention_mask = torch.cat([attention_mask, running[:, None].long()], dim=1)
            running = running & (following != end)
            if not running.any():
                break
        return tokens


def _next_tokens(log_probabilities: torch.Tensor, generation_config: Any) -> torch.Tensor:
    if not generation_config.do_sample:
        return log_probabilities.argmax(-1)
    hot = (log_probabilities / generation_config.temperature).softmax(-1)
    return torch.multinomial(hot, 1).squeeze(1)
