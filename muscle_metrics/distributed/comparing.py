"""Comparison of two runs over a Ray cluster: data sets, or files that all workers see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from muscle_metrics.distributed.cluster import connected
from muscle_metrics.distributed.exchange import bring_together
from muscle_metrics.errors import InputError
from muscle_metrics.runs.files.plain_file import PlainFile
from muscle_metrics.runs.plain_rows import RowOptions
from muscle_metrics.runs.read import sentinels_of
from muscle_metrics.scale.choices import Choices
from muscle_metrics.scale.engine import compare_joined
from muscle_metrics.scale.joining import Joining
from muscle_metrics.scale.sources import NEW_ROWS, NO_OPTIONS, OLD_ROWS, RunFiles, open_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from muscle_metrics.comparison.counted import CountedComparison
    from muscle_metrics.distributed.exchange import Progress, Shard
    from muscle_metrics.runs.sentinels import ListScore, MissingScore

__all__ = ["compare_datasets", "compare_shards"]

REFERENCE = "reference"
# Rows of a bucket are joined in the memory of one worker.
BYTES_OF_A_BUCKET = 1 << 27
# Parquet packs texts about this many times as densely as memory does.
PACKED = 8


def compare_datasets(
    old: Any,
    new: Any,
    *,
    on: str = "id",
    prediction: str = "prediction",
    reference: str = REFERENCE,
    score: str | None = None,
    slice: str | None = None,  # noqa: A002
    group: str | None = None,
    repeat: str | None = None,
    prompt: str | None = None,
    missing_score: MissingScore = None,
    list_score: ListScore | None = None,
    names: tuple[str, str] = ("old", "new"),
    buckets: int | None = None,
    progress: Progress | None = None,
    **choices: Any,
) -> CountedComparison:
    """Compare two Ray data sets by their ids, over the cluster that they live in.

    Rows travel once, and are joined in buckets by the hash of their ids. Counts, exact sums and
    samples come back; they are those of one machine to the last bit, in any order of the rows. A
    worker that dies costs only time.

    Parameters
    ----------
    old, new : ray.data.Dataset
        One row per item.
    on : str
        Column of the id.
    prediction, reference : str
        Columns of the answer and of the reference (an answer or a list of accepted ones). One of
        the data sets may lack the reference; with a score, both may lack the answers.
    score, slice, group, repeat, prompt : str, optional
        Columns of a recorded score, of the slice, of the group (such as the passage that items
        share), of the number of the generation, and of the prompt, which must not differ.
    missing_score : str or float, or several, optional
        Values of the score that mean no score, as in `read_run`.
    list_score : {"all", "share"}, optional
        How a list of true and false is a score, as in `read_run`.
    names : tuple of str
        Names of the runs.
    buckets : int, optional
        Number of buckets; by default one bucket takes some hundred megabytes.
    progress : callable, optional
        Takes the stage, how many of its tasks have ended, and how many there are.
    **choices
        Those of `muscle_metrics.scale.Choices`: ``metric``, ``threshold``, ``missing`` and so on.

    Returns
    -------
    CountedComparison
        Prints as a table.

    Raises
    ------
    InputError
        As `compare_runs`; or if a column is missing.
    MissingDependencyError
        If Ray or DuckDB is not installed: ``pip install 'muscle-metrics[ray]'``.

    Notes
    -----
    For example::

        old, new = (ray.data.read_parquet(f"s3://runs/{name}") for name in ("v1", "v2"))
        print(compare_datasets(old, new, slice="topic", metric="rouge1"))

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> empty = SimpleNamespace(schema=lambda: None)
    >>> compare_datasets(empty, empty)
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected rows in the data set 'old', got none: name another
    """
    fields = {
        "id": on,
        "prediction": prediction,
        "reference": reference,
        "score": score,
        "slice": slice,
        "group": group,
        "repeat": repeat,
        "prompt": prompt,
    }
    columns = [_columns(rows, name, fields) for name, rows in zip(names, (old, new), strict=True)]
    if reference != REFERENCE and not any("reference" in found for found in columns):
        raise InputError(
            f"expected the column {reference!r} in one of the data sets, got it in neither: name "
            f"it with reference=, or rename it"
        )
    runs, shards, size = [], [], 0
    for name, rows, found in zip(names, (old, new), columns, strict=True):
        kept = rows.select_columns(sorted(set(found.values()))).materialize()
        reading = RowOptions(
            id_field=found["id"],
            asked={part: found.get(part) for part in fields if part != "id"},
            where={},
            missing_score=sentinels_of(missing_score, score, list_score),
            # Readers of answers take lists and objects.
            structured=choices.get("answer") is not None,
            takes_key=False,
        )
        chosen = reading.choose(dict.fromkeys(found.values()))
        run = RunFiles(name=name, files=(), options=reading, columns=chosen)
        runs.append(run)
        shards.append([(run, block) for block in kept.to_arrow_refs()])
        size += kept.size_bytes()
    return _compare(runs, shards, size, choices, buckets, progress)


def compare_shards(
    old: str | PathLike[str],
    new: str | PathLike[str],
    *,
    old_options: Mapping[str, Any] = NO_OPTIONS,
    new_options: Mapping[str, Any] = NO_OPTIONS,
    names: tuple[str, str] | None = None,
    buckets: int | None = None,
    progress: Progress | None = None,
    **choices: Any,
) -> CountedComparison:
    """Compare two runs in files by their ids, over a Ray cluster whose workers all see the files.

    Without `ray.init` before, a cluster on this machine is started for this call. It listens on the
    loopback interface alone.

    Parameters
    ----------
    old, new : path
        A plain file as `read_run` reads it, or a folder of shards, which are read in parallel.
    old_options, new_options, names, **choices
        As in `muscle_metrics.scale.compare_files`.
    buckets, progress
        As in `compare_datasets`.

    Returns
    -------
    CountedComparison

    Raises
    ------
    InputError
        As `compare_files`.
    MissingDependencyError
        If Ray or DuckDB is not installed.

    Examples
    --------
    >>> compare_shards("runs/v1", "runs/v2", metric="rouge1")
    Traceback (most recent call last):
    muscle_metrics.errors.FileError: runs/v1: ...
    """
    runs = open_runs(old, new, old_options, new_options, names)
    shards = [[(shard, None) for shard in run.shards()] for run in runs]
    size = sum(
        file.path.stat().st_size * (PACKED if file.format == "parquet" else 1)
        for run in runs
        for file in run.files
        if isinstance(file, PlainFile)
    )
    return _compare(runs, shards, size, choices, buckets, progress)


def _compare(
    runs: Sequence[RunFiles],
    shards: Sequence[Sequence[Shard]],
    size: int,
    choices: Mapping[str, Any],
    buckets: int | None,
    progress: Progress | None,
) -> CountedComparison:
    old, new = (run.source(table) for run, table in zip(runs, (OLD_ROWS, NEW_ROWS), strict=True))
    joining = Joining.of(old, new, Choices(**choices))
    # Whether references are lists is known only after all rows are read, so both forms travel.
    parts = joining.parts | {"accepted"}
    with connected() as ray:
        cores = int(ray.cluster_resources().get("CPU", 1))
        together = bring_together(
            shards,
            parts,
            buckets=buckets or max(cores, math.ceil(size / BYTES_OF_A_BUCKET)),
            progress=progress or (lambda stage, done, total: None),
        )
        return compare_joined(together, joining)


def _columns(rows: Any, name: str, asked: Mapping[str, str | None]) -> dict[str, str]:
    """Choose the columns of a data set that are read; some may be only in the other data set."""
    schema = rows.schema()
    if schema is None:
        raise InputError(f"expected rows in the data set {name!r}, got none: name another")
    optional = {"reference"} | ({"prediction"} if asked["score"] else set())
    found = {part: column for part, column in asked.items() if column in schema.names}
    lacking = [
        column
        for part, column in asked.items()
        if column is not None and part not in found and part not in optional
    ]
    if lacking:
        raise InputError(
            f"expected the column {lacking[0]!r} in the data set {name!r}, got "
            f"{sorted(schema.names)}: name it, or rename it"
        )
    return {part: column for part, column in found.items() if column is not None}
