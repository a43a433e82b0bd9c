"""Join rows of two runs by their keys over a Ray cluster, in tasks that can run again.

Every shard is split by the hash of its keys into buckets. Every bucket is joined alone, in a
database of its own. No task has a state, so Ray runs the tasks of a dead worker again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.distributed.cluster import failure
from muscle_metrics.errors import InputError, MuscleMetricsError, require
from muscle_metrics.runs.tables import open_table
from muscle_metrics.scale.database import open_database, reading
from muscle_metrics.scale.encoding import select_coded
from muscle_metrics.scale.loading import code_rows, load_run
from muscle_metrics.scale.native import find_native_types, native_path
from muscle_metrics.scale.sources import NEW_ROWS, OLD_ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from muscle_metrics.scale.engine import Sum
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.sources import RunFiles

__all__ = ["Buckets", "Progress", "Shard", "bring_together"]

Progress = Callable[[str, int, int], None]
Shard = tuple["RunFiles", Any]
"""How one task reads its rows, and the block that holds them; None for rows in a file."""

# A splitting task holds this many rows at a time.
ROWS_OF_A_PIECE = 1 << 20
# Memory that the database of one task may use before it spills.
MEMORY = "1GB"
BLOCK, ROWS = "block", "coded_rows"


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
        task = require("ray", "ray").remote(_work_on_bucket)
        running = [task.remote(work, joining, len(old), *old, *new) for old, new in self.pieces]

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
        (side, task.remote(shard, block, parts, buckets))
        for side, of_run in enumerate(shards)
        for shard, block in of_run
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
        If the task that makes it raised one, or Ray lost it.
    """
    ray = require("ray", "ray")
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MuscleMetricsError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise failure("the workers of Ray to go on", error) from error


def _split_shard(
    shard: RunFiles, block: Any, parts: Collection[str], buckets: int
) -> Iterator[Any]:
    """Yield the rows of every bucket, piece after piece, and at last their number."""
    if block is not None and not block.num_rows:
        # An empty block may lack columns.
        yield 0
        return
    paths = [path for file in shard.files if (path := native_path(file))]
    # One thread reads in order, so that a task that runs again yields the same pieces.
    with open_database(MEMORY, 1, paths) as connection:
        if block is None:
            load_run(connection, shard, ROWS)
        else:
            _load_block(connection, shard, block)
        coded = shard.source(ROWS).table(parts)
        rows = 0
        with reading():
            query = f"SELECT *, hash(key) % {buckets} AS bucket FROM ({coded})"
            for batch in connection.sql(query).to_arrow_reader(ROWS_OF_A_PIECE):
                rows += batch.num_rows
                yield from _cut(batch, buckets)
        yield rows


def _load_block(connection: Any, run: RunFiles, block: Any) -> None:
    """Make the table of the coded rows of a block."""
    try:
        connection.register(BLOCK, block)
        types = find_native_types(connection, BLOCK, block.column_names, run)
    except require("duckdb", "ray").Error:
        # A type of Arrow that DuckDB lacks.
        types = None
    if types is None:
        table = open_table(block, f"a block of {run.name}")
        coded = code_rows(connection, run, [table], ROWS)
    else:
        coded = select_coded(BLOCK, run.fields, types, {})
    connection.execute(f"CREATE VIEW {ROWS} AS {coded}")


def _cut(batch: Any, buckets: int) -> Iterator[Any]:
    """Cut rows into one table for every bucket."""
    # DuckDB hashes to unsigned numbers, which numpy before 2.2 does not count.
    bucket = batch.column("bucket").to_numpy().astype(np.int64)
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
        for table, batches in ((OLD_ROWS, pieces[:split]), (NEW_ROWS, pieces[split:])):
            connection.register(table, pyarrow.Table.from_batches(batches))
        return work(connection, joining)
