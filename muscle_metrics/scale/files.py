"""Comparing runs that do not fit into memory: joined on disk, counted in one pass."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.judging import EXACT_MATCH
from muscle_metrics.scale.counted import CountedComparison
from muscle_metrics.scale.counting import open_database, tally
from muscle_metrics.scale.flaws import explain_flaws
from muscle_metrics.scale.joining import Joining
from muscle_metrics.scale.sources import open_source
from muscle_metrics.scale.streaming import Grading, stream_totals
from muscle_metrics.signature import choices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from muscle_metrics.runs.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.totals import Totals
    from muscle_metrics.scorers import Metric

__all__ = ["compare_files"]

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def compare_files(
    old: str | PathLike[str],
    new: str | PathLike[str],
    *,
    metric: Metric | Sequence[Metric] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = (-math.inf, math.inf),
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    old_options: Mapping[str, Any] = NO_OPTIONS,
    new_options: Mapping[str, Any] = NO_OPTIONS,
    sample_size: int = 10,
    seed: int = 0,
    memory: str = "500MB",
    threads: int | None = None,
    names: tuple[str, str] | None = None,
) -> CountedComparison:
    """Compare two runs by their ids without holding them in memory.

    The join and the counts run in DuckDB, which spills to disk. What is kept in memory are counts,
    exact sums and a bounded sample of flips; they are those of `compare_runs`.

    Parameters
    ----------
    old, new : path
        JSON Lines or Parquet: a file, or a folder of shards.
    metric, options, threshold, strict_threshold, tie, minimum_effect, score_range
        As in `compare_runs`; texts are scored as they stream by.
    missing, conflict, unanswered
        As in `compare_runs`.
    old_options, new_options : mapping
        Options of `read_run` for each run, such as ``{"slice_field": "topic"}``.
    sample_size : int
        The most negative flips kept of every slice.
    seed : int
        Seed of that sample.
    memory : str
        What the database may hold in memory, such as "500MB".
    threads : int, optional
        Its threads; by default one per core.
    names : tuple of str, optional
        What the runs are called.

    Returns
    -------
    CountedComparison
        Prints as a table.

    Raises
    ------
    InputError
        As `read_run` and `compare_runs`.
    MissingDependencyError
        If duckdb is not installed.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, answer in (("v1", "A"), ("v2", "B")):
    ...         row = {"id": 1, "prediction": answer, "reference": "A"}
    ...         _ = Path(folder, f"{name}.jsonl").write_text(json.dumps(row))
    ...     print(compare_files(f"{folder}/v1.jsonl", f"{folder}/v2.jsonl").counts.negative)
    1
    """
    old_name, new_name = names or (None, None)
    sources = (
        open_source(Path(old), old_options, name=old_name),
        open_source(Path(new), new_options, name=new_name),
    )
    judge, graders = _told_apart(sources, metric)
    joining = Joining(
        old=sources[0],
        new=sources[1],
        by_score=judge not in (None, EXACT_MATCH),
        threshold=threshold,
        strict_threshold=strict_threshold,
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
    )
    with open_database(memory, threads) as database:
        found = tally(database, joining, size=sample_size, seed=seed)
        if found.flaws["strange"]:
            # Lists of accepted answers cost time, so they are looked into only where there are any.
            joining = replace(joining, has_lists=True)
            found = tally(database, joining, size=sample_size, seed=seed)
        explain_flaws(database, joining, found)
        grading = Grading(
            judge=judge,
            graders=tuple(graders),
            options=options or {},
            threshold=threshold,
            strict_threshold=strict_threshold,
            tie=tie,
            minimum_effect=minimum_effect,
            score_range=score_range,
            is_graded=found.is_graded and threshold is None,
        )
        totals = (
            stream_totals(database, joining, grading, size=sample_size, seed=seed)
            if grading.is_needed
            else found.totals
        )
    return CountedComparison(
        names=(sources[0].name, sources[1].name),
        totals=totals,
        dropped=found.dropped(joining),
        recipe=choices(
            _named(judge, totals, threshold, strict_threshold),
            None,
            missing=missing,
            conflict=conflict,
            unanswered=unanswered,
        ),
    )


def _told_apart(
    sources: tuple[Source, Source], metric: Metric | Sequence[Metric] | None
) -> tuple[str | None, list[Metric]]:
    """Name what the rows tell by themselves, and the scorers that must read their texts."""
    scores = [source.fields.get("score") for source in sources]
    if metric is None:
        return (scores[0] or EXACT_MATCH) if all(scores) else EXACT_MATCH, []
    listed: list[Any] = list(metric) if isinstance(metric, (list, tuple)) else [metric]
    known = [str(one) for one in listed if one == EXACT_MATCH or one in scores]
    return (known[0] if known else None), [one for one in listed if one not in known]


def _named(judge: str | None, totals: Totals, threshold: float | None, strict: bool) -> str:
    names = ", ".join(dict.fromkeys([*filter(None, [judge]), *totals.scores]))
    return names if threshold is None else f"{names} {'>' if strict else '>='} {threshold!r}"
