"""Flip rates in a training or evaluation loop, with torchmetrics."""

import torch
from torchmetrics import MetricCollection

from muscle_metrics.integrations.torchmetrics import (
    InconsistencyFlipRate,
    NegativeFlipRate,
    PositiveFlipRate,
)

metrics = MetricCollection([NegativeFlipRate(), PositiveFlipRate(), InconsistencyFlipRate()])
generator = torch.Generator().manual_seed(0)
for _ in range(4):
    references = torch.randint(0, 3, (25,), generator=generator)
    old_logits = torch.randn(25, 3, generator=generator)
    new_logits = old_logits + 0.5 * torch.randn(25, 3, generator=generator)
    metrics.update(
        old=old_logits.argmax(dim=1), new=new_logits.argmax(dim=1), references=references
    )
for name, rate in metrics.compute().items():
    print(f"{name} {rate:.2%}")
print(metrics["NegativeFlipRate"].counts.negative_flip_rate.interval())
