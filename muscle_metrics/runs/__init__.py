"""What a harness recorded: records, runs, and how two of them are joined by id."""

from __future__ import annotations

from muscle_metrics.runs.pairing import JoinedRuns, join_runs, pair_runs
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.references import read_references, with_references

__all__ = [
    "JoinedRuns",
    "Record",
    "Run",
    "join_runs",
    "pair_runs",
    "read_references",
    "read_run",
    "with_references",
]
