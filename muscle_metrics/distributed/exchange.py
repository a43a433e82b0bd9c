"""Rows of two runs brought together by their keys, over a Ray cluster, in tasks that may be lost.

Every shard is split by the hash of its keys into buckets, and every bucket is joined by itself, in
a database of its own. All of it are tasks without a state, so that Ray runs those again whose
worker died.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from muscle_metrics.errors import InputError, MuscleMetricsError, require
from muscle_metrics.scale.counting import open_database, reading
from muscle_metrics.scale.encoding import CodedSource
from muscle_metrics.scale.engine import Database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from muscle_metrics.comparison.totals import Totals
    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.engine import Choices
    from muscle_metrics.scale.flaws import FlawedItems
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.streaming import Grading
    from muscle_metrics.scale.tally import Tally

__all__ = ["Buckets", "Progress", "Shard", "bring_together"]

Progress = Callable[[str, int, int], None]
Part = TypeVar("Part", "Tally", "FlawedItems", "Totals")

# A splitting task holds this many rows at a time.
ROWS_OF_A_PIECE = 1 << 20
# What a database of one task may hold before it spills.
MEMORY = "1GB"
BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows that one task reads: those of a file, or those of a block of a data set.

    Parameters
    ----------
    source : Source
        How they are read; its relation is "block" for a block.
    block : ray.ObjectRef, optional
        A pyarrow table.

    Examples
    --------
    >>> from muscle_metrics.scale.encoding import Source
    >>> Shard(Source(name="v1", relation="block", fields={}, types={}, where={})).block is None
    True
    """

    source: Source
    block: Any = None


@dataclass(frozen=True, slots=True)
class Buckets:
    """The engine of a cluster: rows of both runs, those whose keys fall together in one place.

    Parameters
    ----------
    pieces : sequence of (list, list)
        For every bucket the pieces of the old and of the new run, in the object store.
    progress : callable
        Takes what is done, how many tasks of it have ended, and how many there are.

    Examples
    --------
    >>> Buckets([([], [])], print).pieces
    [([], [])]
    """

    pieces: Sequence[tuple[list[Any], list[Any]]]
    progress: Progress

    def tally(self, joining: Joining, choices: Choices) -> Tally:
        """Count the items by the marks they carry."""
        return self._sum("counting", lambda engine, coded: engine.tally(coded, choices), joining)

    def collect_flawed(self, joining: Joining, wrong: frozenset[str]) -> FlawedItems:
        """Fetch the items that carry a flaw, and those whose id repeats."""
        return self._sum(
            "looking", lambda engine, coded: engine.collect_flawed(coded, wrong), joining
        )

    def stream_totals(self, joining: Joining, grading: Grading, choices: Choices) -> Totals:
        """Sum up the scores of the items that are compared."""
        return self._sum(
            "scoring", lambda engine, coded: engine.stream_totals(coded, grading, choices), joining
        )

    def _sum(self, what: str, work: Callable[[Database, Joining], Part], joining: Joining) -> Part:
        # Only names and fields travel; how files are read does not.
        coded = replace(joining, old=_coded(joining.old, "old"), new=_coded(joining.new, "new"))
        task = require("ray", "ray").remote(_work_on_bucket)
        running = [task.remote(work, coded, len(old), *old, *new) for old, new in self.pieces]

        def results() -> Iterator[Part]:
            for done, result in enumerate(running):
                self.progress(what, done, len(running))
                yield _fetch(result)

        return reduce(add, results())


def bring_together(
    old: Sequence[Shard],
    new: Sequence[Shard],
    parts: Collection[str],
    *,
    buckets: int,
    progress: Progress,
) -> Buckets:
    """Split the shards of both runs by their keys.

    Raises
    ------
    InputError
        If rows cannot be read.

    Examples
    --------
    >>> bring_together([], [], {"prediction"}, buckets=2, progress=print).pieces
    [([], []), ([], [])]
    """
    # A generator without end in memory: pieces leave the task as it reads on.
    task = require("ray", "ray").remote(_split_shard)
    splitting = [
        (side, task.remote(shard.source, shard.block, parts, buckets))
        for side, shards in enumerate((old, new))
        for shard in shards
    ]
    pieces: list[tuple[list[Any], list[Any]]] = [([], []) for _ in range(buckets)]
    for done, (side, stream) in enumerate(splitting):
        progress("splitting", done, len(splitting))
        *made, last = stream
        # What went wrong is told by the last object, which is the number of rows if nothing did.
        _fetch(last)
        for number, piece in enumerate(made):
            pieces[number % buckets][side].append(piece)
    for side, name in enumerate(("old", "new")):
        if splitting and not any(bucket[side] for bucket in pieces):
            raise InputError(f"expected rows in the {name} run, got none: name another")
    return Buckets(pieces, progress)


def _fetch(reference: Any) -> Any:
    """Value of a remote object; an error of ours is raised as it would be here.

    Raises
    ------
    MuscleMetricsError
        If the task that makes it raised one.
    """
    ray = require("ray", "ray")
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MuscleMetricsError):
            raise error.cause from None
        raise


def _coded(source: Source, relation: str) -> CodedSource:
    return CodedSource(
        name=source.name,
        relation=f"{relation}_rows",
        fields=source.fields,
        types=source.types,
        where={},
    )


def _split_shard(source: Source, block: Any, parts: Collection[str], buckets: int) -> Iterator[Any]:
    """Yield the rows of every bucket, piece after piece, and at last their number."""
    # One thread reads in order, so that a task that runs again yields the same pieces.
    with open_database(MEMORY, 1) as connection:
        if block is not None:
            if not block.num_rows:
                # It may lack columns altogether.
                yield 0
                return
            connection.register(BLOCK, block)
            described = connection.execute(f"DESCRIBE {BLOCK}").fetchall()
            source = replace(source, types={row[0]: row[1] for row in described})
            source.check_types()
        query = f"SELECT *, hash(key) % {buckets} AS bucket FROM ({source.table(parts)})"
        rows = 0
        with reading(source):
            for batch in connection.sql(query).to_arrow_reader(ROWS_OF_A_PIECE):
                rows += batch.num_rows
                yield from _cut(batch, buckets)
        yield rows


def _cut(batch: Any, buckets: int) -> Iterator[Any]:
    """Cut rows into one table for every bucket."""
    bucket = batch.column("bucket").to_numpy()
    ordered = batch.drop_columns(["bucket"]).take(np.argsort(bucket, kind="stable"))
    ends = np.cumsum(np.bincount(bucket, minlength=buckets))
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield ordered.slice(start, end - start)


def _work_on_bucket(
    work: Callable[[Database, Joining], Part], joining: Joining, split: int, *pieces: Any
) -> Part:
    """Do something with the joined rows of one bucket."""
    pyarrow = require("pyarrow", "ray")
    with open_database(MEMORY, 1) as connection:
        for side, batches in (("old", pieces[:split]), ("new", pieces[split:])):
            connection.register(f"{side}_rows", pyarrow.Table.from_batches(batches))
        return work(Database(connection), joining)
