"""Scorers: from texts to one score per item."""

from __future__ import annotations

from muscle_metrics.scorers.table import SCORERS, Metric, Scorer, resolve_scorer, score, score_both

__all__ = ["SCORERS", "Metric", "Scorer", "resolve_scorer", "score", "score_both"]
