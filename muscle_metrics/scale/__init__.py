"""More items than fit into memory: partial states that add, and files joined on disk."""

from __future__ import annotations

from muscle_metrics.scale.counted import CountedComparison
from muscle_metrics.scale.engine import Choices
from muscle_metrics.scale.files import compare_files
from muscle_metrics.scale.flip_sample import FlipSample
from muscle_metrics.scale.score_totals import ScoreTotals
from muscle_metrics.scale.totals import Totals

__all__ = ["Choices", "CountedComparison", "FlipSample", "ScoreTotals", "Totals", "compare_files"]
