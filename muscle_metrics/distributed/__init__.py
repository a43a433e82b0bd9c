"""The same counts over Ray Data; counts add, so shards merge exactly."""

from __future__ import annotations

from muscle_metrics.distributed.comparing import compare_datasets, compare_shards

__all__ = ["compare_datasets", "compare_shards"]
