"""More items than fit into memory: totals that add, and files joined on disk."""

from __future__ import annotations

from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.flips.score_totals import ScoreTotals
from muscle_metrics.scale.choices import Choices
from muscle_metrics.scale.engine import compare_files

__all__ = ["Choices", "CountedComparison", "FlipSample", "ScoreTotals", "Totals", "compare_files"]
