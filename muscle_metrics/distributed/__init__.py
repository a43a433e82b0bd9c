"""The same counts over Ray Data: counts add, so shards merge exactly."""

from __future__ import annotations

from muscle_metrics.distributed.comparing import compare_datasets, compare_shards
from muscle_metrics.distributed.scoring import count_flips_dataset, score_dataset

__all__ = ["compare_datasets", "compare_shards", "count_flips_dataset", "score_dataset"]
