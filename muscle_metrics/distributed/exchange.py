"""Join rows of two runs by their keys over a Ray cluster, in tasks that can run again.

Every shard is split by the hash of its keys into buckets. Every bucket is joined alone, in a
database of its own. No task has a state, so Ray runs the tasks of a dead worker again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import InputError, MuscleMetricsError, require
from muscle_metrics.scale.database import open_database, reading
from muscle_metrics.scale.sources import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from muscle_metrics.scale.engine import Sum
    from muscle_metrics.scale.joining import Joining

__all__ = ["Buckets", "Progress", "Shard", "bring_together"]

Progress = Callable[[str, int, int], None]
Shard = tuple[Source, Any]
"""How one task reads its rows, and the block that holds them; None for rows in a file."""

# A splitting task holds this many rows at a time.
ROWS_OF_A_PIECE = 1 << 20
# Memory that the database of one task may use before it spills.
MEMORY = "1GB"
BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class _CodedSource(Source):
    """A relation whose columns are those that `Source.table` writes."""

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        columns = ["key", *(f'"{part}"' for part in sorted(parts))]
        return f"SELECT {', '.join(columns)} FROM {self.relation}"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The engine of a cluster: rows of both runs, those of one key in the same bucket.

    Parameters
    ----------
    pieces : sequence of (list, list)
        For every bucket the pieces of the old and of the new run, in the object store.
    progress : callable
        Takes the stage, how many of its tasks have ended, and how many there are.
    """

    pieces: Sequence[tuple[list[Any], list[Any]]]
    progress: Progress

    def __call__(self, stage: str, work: Callable[[Any, Joining], Sum], joining: Joining) -> Sum:
        """Do some work in the database of every bucket, and add up the results."""
        # Workers of a bucket know names and fields; they do not need to read files.
        coded = replace(joining, old=_coded(joining.old, "old"), new=_coded(joining.new, "new"))
        task = require("ray", "ray").remote(_work_on_bucket)
        running = [task.remote(work, coded, len(old), *old, *new) for old, new in self.pieces]

        def results() -> Iterator[Sum]:
            for done, result in enumerate(running):
                self.progress(stage, done, len(running))
                yield _fetch(result)

        return reduce(add, results())


def bring_together(
    shards: Sequence[Sequence[Shard]],
    parts: Collection[str],
    *,
    buckets: int,
    progress: Progress,
) -> Buckets:
    """Split the shards of the old and of the new run by their keys.

    Raises
    ------
    InputError
        If rows cannot be read.
    """
    # The task is a generator: pieces leave its memory as it reads on.
    task = require("ray", "ray").remote(_split_shard)
    splitting = [
        (side, task.remote(source, block, parts, buckets))
        for side, of_run in enumerate(shards)
        for source, block in of_run
    ]
    pieces: list[tuple[list[Any], list[Any]]] = [([], []) for _ in range(buckets)]
    for done, (side, stream) in enumerate(splitting):
        progress("splitting", done, len(splitting))
        *made, last = stream
        # The last object is the number of rows, or the error of the task.
        _fetch(last)
        for number, piece in enumerate(made):
            pieces[number % buckets][side].append(piece)
    for side, name in enumerate(("old", "new")):
        if not any(bucket[side] for bucket in pieces):
            raise InputError(f"expected rows in the {name} run, got none: name another")
    return Buckets(pieces, progress)


def _fetch(reference: Any) -> Any:
    """Value of a remote object; an error of this package is raised as on one machine.

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


def _coded(source: Source, side: str) -> _CodedSource:
    return _CodedSource(
        name=source.name,
        relation=f"{side}_rows",
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
                # An empty block may lack columns.
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
    work: Callable[[Any, Joining], Sum], joining: Joining, split: int, *pieces: Any
) -> Sum:
    """Do some work on the rows of one bucket; the first `split` pieces are of the old run."""
    pyarrow = require("pyarrow", "ray")
    with open_database(MEMORY, 1) as connection:
        for side, batches in (("old", pieces[:split]), ("new", pieces[split:])):
            connection.register(f"{side}_rows", pyarrow.Table.from_batches(batches))
        return work(connection, joining)
