"""Rows of two runs brought together by their keys, over a Ray cluster, in tasks that may be lost.

Every shard is split by the hash of its keys into buckets, and every bucket is joined by itself, in
a database of its own. All of it are tasks without a state, so that Ray runs those again whose
worker died.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, TypeVar

from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.optional import require
from muscle_metrics.scale.counting import open_database
from muscle_metrics.scale.encoding import CodedSource, Source
from muscle_metrics.scale.engine import Choices, Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from muscle_metrics.scale.flaws import FlawedItems
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.streaming import Grading
    from muscle_metrics.scale.tally import Tally
    from muscle_metrics.scale.totals import Totals

__all__ = ["Bucket", "Cluster", "Shard", "exchange"]

Part = TypeVar("Part", "Tally", "FlawedItems", "Totals")

# Some rows more make a piece no faster, and the splitting task hold more of them.
ROWS_OF_A_PIECE = 1_000_000
MEMORY = "1GB"
EVERY_PART = ("prediction", "reference", "accepted", "score", "slice", "prompt")


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows that one task reads: of files, or a block of a data set.

    Parameters
    ----------
    source : Source
        How they are read; its relation is "block" for a block.
    block : ray.ObjectRef, optional
        A pyarrow table.
    """

    source: Source
    block: Any = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """All rows of both runs whose keys fall together, as pieces that stand in the object store."""

    old: tuple[Any, ...]
    new: tuple[Any, ...]
